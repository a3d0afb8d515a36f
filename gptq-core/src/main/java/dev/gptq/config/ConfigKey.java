package dev.gptq.config;

/**
 * What people are told about one key.
 *
 * @param path keys joined by '.', with '*' for a name that the user chooses
 * @param allowed allowed values, a phrase; empty for a section
 * @param meaning one or more sentences without the last full stop
 * @param example what a commented-out key shows when it does not apply to the defaults, or null
 */
record ConfigKey(String path, String allowed, String meaning, String example) {
    String parent() {
        int dot = path.lastIndexOf('.');
        return dot < 0 ? "" : path.substring(0, dot);
    }

    String name() {
        return path.substring(path.lastIndexOf('.') + 1);
    }
}
