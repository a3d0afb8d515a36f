package dev.gptq.config;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;

/** One configuration value that cannot be used; keeps its parts so that a reader can add path and line. */
final class InvalidValueException extends GptqException {
    private final String key;
    private final transient Object value;
    private final String problem;
    private final String remedy;
    private final boolean located;

    /**
     * @param key snake_case name, relative to the section that was being built
     * @param value what was given
     * @param problem why it cannot be used, a clause without a full stop
     * @param remedy what to write instead, a sentence without a full stop
     */
    InvalidValueException(String key, Object value, String problem, String remedy) {
        this(key, "", value, problem, remedy, false);
    }

    private InvalidValueException(
            String key, String place, Object value, String problem, String remedy, boolean located) {
        super(ErrorCode.BAD_INPUT, "Cannot use %s %s%s: %s. %s.".formatted(key, value, place, problem, remedy));
        this.key = key;
        this.value = value;
        this.problem = problem;
        this.remedy = remedy;
        this.located = located;
    }

    /** The same problem, with the key told relative to the section around {@code section}. */
    InvalidValueException below(String section) {
        return new InvalidValueException(section + "." + key, value, problem, remedy);
    }

    String key() {
        return key;
    }

    /** The same problem, told with the full path of the key and the place it was written; told once only. */
    InvalidValueException at(String path, String place) {
        return located ? this : new InvalidValueException(path, " (" + place + ")", value, problem, remedy, true);
    }
}
