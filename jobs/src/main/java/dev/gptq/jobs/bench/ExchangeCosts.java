package dev.gptq.jobs.bench;

/**
 * What the barrier exchange takes, by formula (gptq-spark/SCALING.md).
 *
 * @param bytesPerSecond of one executor's connection, in each direction
 * @param latencySeconds from the end of a message's sending to its arrival
 * @param foldSecondsPerFloat for adding one float of another executor's gradient
 */
record ExchangeCosts(double bytesPerSecond, double latencySeconds, double foldSecondsPerFloat) {
    /**
     * Seconds for a gradient of {@code elements} floats among {@code executors}: each sends all but its own slice, folds the
     * others' parts of it, and sends it to the others.
     */
    double seconds(long elements, int executors) {
        if (executors == 1) {
            return 0;
        }
        double others = (executors - 1.0) / executors;
        double sending = Float.BYTES * elements * others / bytesPerSecond;
        return 2 * (sending + latencySeconds) + foldSecondsPerFloat * elements * others;
    }
}
