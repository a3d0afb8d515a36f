package dev.gptq.jobs.bench;

/**
 * One measured number.
 *
 * @param name benchmark, model and quantity, separated by dots
 * @param unit of value and limit
 * @param limit what the value is held to, or null for a number that only informs
 * @param conditions what was measured and how, for people
 */
record Measurement(String name, double value, String unit, Limit limit, String conditions) {
    /** A number without a limit. */
    static Measurement of(String name, double value, String unit, String conditions) {
        return new Measurement(name, value, unit, null, conditions);
    }

    /** Whether the value keeps its limit; true without one. */
    boolean holds() {
        return limit == null || limit.holds(value);
    }
}
