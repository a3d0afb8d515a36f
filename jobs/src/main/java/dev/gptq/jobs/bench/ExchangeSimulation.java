package dev.gptq.jobs.bench;

import java.util.Arrays;

/**
 * Plays the messages of one barrier exchange in simulated time, with the bandwidth and latency of {@link ExchangeCosts}. Each
 * executor has one way out and one way in, and each message takes its length on both; messages go first to the executor
 * behind the sender, so that not all send to the same one. An owner folds parts as they arrive, and sends its slice when it
 * is whole.
 */
final class ExchangeSimulation {
    private final ExchangeCosts costs;
    private final int executors;
    private final double messageSeconds;
    private final double foldSeconds;
    /** When each executor's way out and way in are free. */
    private final double[] out;

    private final double[] in;

    ExchangeSimulation(ExchangeCosts costs, long elements, int executors) {
        this.costs = costs;
        this.executors = executors;
        this.messageSeconds = (double) Float.BYTES * elements / executors / costs.bytesPerSecond();
        this.foldSeconds = costs.foldSecondsPerFloat() * elements / executors;
        this.out = new double[executors];
        this.in = new double[executors];
    }

    /** Seconds until the last executor has all parameters, when executor i has its gradient at {@code ready[i]}. */
    double run(double[] ready) {
        double[] whole = new double[executors];
        System.arraycopy(ready, 0, out, 0, executors);
        for (int owner = 0; owner < executors; owner++) {
            whole[owner] = ready[owner];
        }
        // The n-th message of every sender before any (n + 1)-th one: about the order of time.
        for (int distance = 1; distance < executors; distance++) {
            for (int sender = 0; sender < executors; sender++) {
                int owner = (sender + distance) % executors;
                whole[owner] = Math.max(whole[owner], arrival(sender, owner)) + foldSeconds;
            }
        }
        for (int owner = 0; owner < executors; owner++) {
            out[owner] = Math.max(out[owner], whole[owner]);
        }
        double end = Arrays.stream(whole).max().orElse(0);
        for (int distance = 1; distance < executors; distance++) {
            for (int owner = 0; owner < executors; owner++) {
                end = Math.max(end, arrival(owner, (owner + distance) % executors));
            }
        }
        return end;
    }

    private double arrival(int sender, int receiver) {
        out[sender] += messageSeconds;
        in[receiver] = Math.max(in[receiver] + messageSeconds, out[sender] + costs.latencySeconds());
        return in[receiver];
    }
}
