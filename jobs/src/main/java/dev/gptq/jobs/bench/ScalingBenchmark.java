package dev.gptq.jobs.bench;

import java.util.ArrayList;
import java.util.List;

/** Steps per second of two executors against one, and what larger clusters would need for the exchange. */
final class ScalingBenchmark implements Benchmark {
    private static final double LEAST_SPEEDUP = 1.8;

    /** A network of 10 Gbit/s; folding as fast as one core reads memory. */
    private static final ExchangeCosts CLUSTER = new ExchangeCosts(1.25e9, 1e-4, 5e-10);

    private static final long[] ELEMENTS = {1_000_000, 25_000_000, 100_000_000};
    private static final int[] EXECUTORS = {4, 32, 256};
    private static final double MOST_DEVIATION = 0.1;
    private static final double MILLIS = 1e3;

    @Override
    public List<Measurement> run(BenchContext context) throws Exception {
        List<Measurement> measurements = new ArrayList<>();
        measurements.addAll(speedup(context));
        measurements.addAll(simulation());
        return measurements;
    }

    private static List<Measurement> speedup(BenchContext context) throws Exception {
        double one = ScalingRun.secondsPerStep(1, context.home(), context.runs());
        double two = ScalingRun.secondsPerStep(2, context.home(), context.runs());
        double independent = ScalingRun.independentSpeedup(one, context.home(), context.runs());
        String conditions = ScalingRun.conditions(context.runs());
        return List.of(
                new Measurement("scaling.two_executors", one / two, "times", Limit.atLeast(LEAST_SPEEDUP), conditions),
                new Measurement(
                        "scaling.two_executors_of_machine",
                        one / two / independent,
                        "ratio",
                        Limit.atLeast(LEAST_SPEEDUP / 2),
                        "over scaling.two_independent; " + conditions),
                Measurement.of(
                        "scaling.two_independent",
                        independent,
                        "times",
                        "two clusters of one executor at the same time, without exchange, over one; cores that share"
                                + " hardware give less than 2"),
                Measurement.of("scaling.one.step", one, "s", conditions),
                Measurement.of("scaling.two.step", two, "s", conditions));
    }

    private static List<Measurement> simulation() {
        List<Measurement> measurements = new ArrayList<>();
        double worst = 0;
        for (long elements : ELEMENTS) {
            for (int executors : EXECUTORS) {
                double predicted = CLUSTER.seconds(elements, executors);
                double simulated = new ExchangeSimulation(CLUSTER, elements, executors).run(new double[executors]);
                worst = Math.max(worst, Math.abs(simulated / predicted - 1));
                measurements.add(Measurement.of(
                        "scaling.simulated.%dm_floats.%d_executors".formatted(elements / ELEMENTS[0], executors),
                        simulated * MILLIS,
                        "ms",
                        "messages of one exchange in simulated time, 10 Gbit/s, 0.1 ms; predicted %.1f ms"
                                .formatted(predicted * MILLIS)));
            }
        }
        measurements.add(new Measurement(
                "scaling.prediction_error",
                worst,
                "ratio",
                Limit.atMost(MOST_DEVIATION),
                "largest relative difference of prediction and simulation"));
        return measurements;
    }
}
