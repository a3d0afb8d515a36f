package dev.gptq.config;

import java.util.Arrays;
import java.util.Locale;

/** Range checks of the configuration records; every failure names key, value and remedy. */
final class Check {
    private Check() {}

    static void that(boolean holds, String key, Object value, String problem, String remedy) {
        if (!holds) {
            throw new InvalidValueException(key, value, problem, remedy);
        }
    }

    static void given(Object value, String key, String remedy) {
        that(value != null, key, "null", "it is required", remedy);
    }

    static void text(String value, String key, String remedy) {
        that(value != null && !value.isBlank(), key, value == null ? "null" : "''", "it is required", remedy);
    }

    static void atLeast(long value, long minimum, String key) {
        that(value >= minimum, key, value, "it is less than " + minimum, "Use " + minimum + " or more");
    }

    static void between(long value, long minimum, long maximum, String key) {
        that(
                value >= minimum && value <= maximum,
                key,
                value,
                "it is outside " + minimum + " to " + maximum,
                "Use a whole number from " + minimum + " to " + maximum);
    }

    static void positive(double value, String key) {
        that(
                value > 0 && Double.isFinite(value),
                key,
                value,
                "it is not a finite number above 0",
                "Use for example 1.0");
    }

    static void notNegative(double value, String key) {
        that(value >= 0 && Double.isFinite(value), key, value, "it is not a finite number from 0 up", "Use 0 or more");
    }

    /** {@code 0 <= value < 1}, the range of decay factors. */
    static void decay(double value, String key) {
        that(value >= 0 && value < 1, key, value, "it is outside 0 <= x < 1", "Use for example 0.9");
    }

    static void finite(double[] values, String key) {
        that(
                Arrays.stream(values).allMatch(Double::isFinite),
                key,
                Arrays.toString(values),
                "it holds a value that is not finite",
                "Use finite numbers");
    }

    /** The constant whose name equals {@code text} but for case, '_' and '-'; null when there is none. */
    static <E extends Enum<E>> E constant(Class<E> type, String text) {
        for (E constant : type.getEnumConstants()) {
            if (squeeze(constant.name()).equals(squeeze(text))) {
                return constant;
            }
        }
        return null;
    }

    private static String squeeze(String name) {
        return name.replace("_", "").replace("-", "").toLowerCase(Locale.ROOT);
    }
}
