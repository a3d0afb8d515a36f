package dev.gptq.jobs.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/** Steps per second of two executors against one, and what larger clusters would need for the exchange. */
final class ScalingBenchmark implements Benchmark {
    private static final int SAMPLES = 256;
    /** Until the JVMs have compiled what runs often: two executors have no core to spare for that. */
    private static final int WARM_UP_STEPS = 256;

    private static final int STEPS_PER_RUN = 16;
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
        double one = secondsPerStep(1, context);
        double two = secondsPerStep(2, context);
        String conditions =
                "barrier, 400,000 parameters, batch %d in 4 lanes, executors of one core on one host, wall time, median of %d blocks of %d steps"
                        .formatted(BenchRun.BATCH, context.runs(), STEPS_PER_RUN);
        return List.of(
                new Measurement("scaling.two_executors", one / two, "times", Limit.atLeast(LEAST_SPEEDUP), conditions),
                Measurement.of("scaling.one.step", one, "s", conditions),
                Measurement.of("scaling.two.step", two, "s", conditions));
    }

    private static double secondsPerStep(int executors, BenchContext context) throws Exception {
        int steps = WARM_UP_STEPS + STEPS_PER_RUN * context.runs();
        int stepsPerEpoch = SAMPLES / BenchRun.BATCH;
        try (TemporaryFolder folder = TemporaryFolder.create();
                BenchCluster cluster = BenchCluster.start(folder.path().resolve("cluster"));
                SparkSession session = cluster.session(executors, 1, "1g")) {
            Path model = WideModel.write(folder.path().resolve("wide.onnx"));
            StepCosts costs = new StepCosts(WARM_UP_STEPS, STEPS_PER_RUN);
            new BenchRun(
                            model,
                            SAMPLES,
                            (steps + stepsPerEpoch - 1) / stepsPerEpoch,
                            List.of("training.exchange=barrier"))
                    .execute(session, context.home(), folder.path(), costs);
            return Cost.median(costs.perStep(), Cost::wallSeconds);
        }
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
