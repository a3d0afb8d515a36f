package dev.gptq.report;

import java.util.Locale;

/** Numbers as the report shows them; a missing or undefined one is a dash. */
final class Figures {
    static final String MISSING = "–";

    private static final double KILO = 1000;

    private Figures() {}

    static String percent(Double share) {
        return defined(share) ? String.format(Locale.ROOT, "%.2f\u00a0%%", 100 * share) : MISSING;
    }

    static String decibels(Double value) {
        return defined(value) ? minus(String.format(Locale.ROOT, "%.1f", value)) : MISSING;
    }

    /** A difference, with its sign. */
    static String gain(Double value) {
        return defined(value) ? minus(String.format(Locale.ROOT, "%+.1f", value)) : MISSING;
    }

    static String cosine(Double value) {
        return defined(value) ? minus(String.format(Locale.ROOT, "%.5f", value)) : MISSING;
    }

    static String seconds(Double value) {
        return defined(value) ? String.format(Locale.ROOT, "%.1f", value) : MISSING;
    }

    static String milliseconds(Double value) {
        return defined(value) ? number(value) + "\u00a0ms" : MISSING;
    }

    /** A ratio. */
    static String times(Double value) {
        return defined(value) ? String.format(Locale.ROOT, "%.2f\u00d7", value) : MISSING;
    }

    /** Four significant digits, in scientific notation only where plain digits would be long. */
    static String number(Double value) {
        if (!defined(value)) {
            return MISSING;
        }
        double size = Math.abs(value);
        if (size == 0) {
            return "0";
        }
        if (size >= 1e6 || size < 1e-3) {
            return minus(String.format(Locale.ROOT, "%.3e", value));
        }
        int digits = Math.max(0, 3 - (int) Math.floor(Math.log10(size)));
        return minus(String.format(Locale.ROOT, "%." + digits + "f", value));
    }

    static String bytes(Long bytes) {
        if (bytes == null) {
            return MISSING;
        }
        if (bytes < KILO) {
            return bytes + "\u00a0B";
        }
        return bytes < KILO * KILO
                ? String.format(Locale.ROOT, "%.1f\u00a0kB", bytes / KILO)
                : String.format(Locale.ROOT, "%.2f\u00a0MB", bytes / (KILO * KILO));
    }

    /** How many times smaller {@code bytes} is than {@code reference}. */
    static String timesSmaller(Long reference, Long bytes) {
        if (reference == null || bytes == null || bytes == 0) {
            return MISSING;
        }
        return String.format(Locale.ROOT, "%.2f\u00d7", (double) reference / bytes);
    }

    static boolean defined(Double value) {
        return value != null && Double.isFinite(value);
    }

    private static String minus(String number) {
        return number.replace('-', '\u2212');
    }
}
