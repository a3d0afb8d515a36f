package dev.gptq.jobs.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Rounds in which a baseline and a candidate alternate in one process, so that whatever else the machine does meets both.
 *
 * @param baseline the cost of the baseline, round by round
 * @param candidate the cost of the candidate, round by round
 */
record Interleaved(List<Cost> baseline, List<Cost> candidate) {
    private static final double WARM_UP_SECONDS = 8;

    /**
     * Rounds that do not count, until the JVM has compiled what runs often (its compiler's threads are part of the CPU
     * time), then {@code runs} that do; who goes first alternates.
     */
    static Interleaved measure(int runs, Cost.Work baseline, Cost.Work candidate) throws Exception {
        return measure(WARM_UP_SECONDS, runs, baseline, candidate);
    }

    static Interleaved measure(double warmUpSeconds, int runs, Cost.Work baseline, Cost.Work candidate)
            throws Exception {
        Cost.Clock clock = Cost.Clock.start();
        do {
            baseline.run();
            candidate.run();
        } while (clock.read().wallSeconds() < warmUpSeconds);
        List<Cost> first = new ArrayList<>();
        List<Cost> second = new ArrayList<>();
        for (int run = 0; run < runs; run++) {
            if (run % 2 == 0) {
                first.add(Cost.of(baseline));
                second.add(Cost.of(candidate));
            } else {
                second.add(Cost.of(candidate));
                first.add(Cost.of(baseline));
            }
        }
        return new Interleaved(first, second);
    }

    /** The median over rounds of the candidate's CPU time over the baseline's. */
    double cpuRatio() {
        return Median.of(IntStream.range(0, baseline.size())
                .mapToDouble(run ->
                        candidate.get(run).cpuSeconds() / baseline.get(run).cpuSeconds()));
    }

    double baselineCpu() {
        return Cost.medianCpu(baseline);
    }

    double candidateCpu() {
        return Cost.medianCpu(candidate);
    }
}
