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
    static final String TEXT_OR_NULL = "text or null";
    static final String FLAG = "true or false";
    static final String ABOVE_ZERO = "a number above 0";
    static final String FROM_ZERO = "a number from 0 up";
    static final String FROM_ONE = "a whole number from 1 up";

    static ConfigKey key(String path, String allowed, String meaning) {
        return new ConfigKey(path, allowed, meaning, null);
    }

    static ConfigKey example(String path, String allowed, String meaning, String shown) {
        return new ConfigKey(path, allowed, meaning, shown);
    }

    static ConfigKey section(String path, String meaning) {
        return new ConfigKey(path, "", meaning, null);
    }

    String parent() {
        int dot = path.lastIndexOf('.');
        return dot < 0 ? "" : path.substring(0, dot);
    }

    String name() {
        return path.substring(path.lastIndexOf('.') + 1);
    }
}
