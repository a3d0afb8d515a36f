package dev.gptq.jobs.bench;

import dev.gptq.spark.exchange.ExchangeTiming;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** The barrier exchange alone between two executors on this host: reduce-scatter, a copy for an update, all-gather. */
final class ExchangeBenchmark implements Benchmark {
    private static final int EXECUTORS = 2;
    private static final int MILLION = 1_000_000;
    private static final int LARGE = 25 * MILLION;
    private static final double MOST_MILLIS = 20;
    private static final double MOST_MILLIS_LARGE = 300;
    private static final int STEPS_PER_RUN = 20;
    private static final int LARGE_STEPS_PER_RUN = 4;

    @Override
    public List<Measurement> run(BenchContext context) throws Exception {
        List<Measurement> measurements = new ArrayList<>();
        try (TemporaryFolder folder = TemporaryFolder.create();
                BenchCluster cluster = BenchCluster.start(folder.path());
                SparkSession session = cluster.session(EXECUTORS, 1, "2g")) {
            JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
            measurements.add(measure(spark, MILLION, STEPS_PER_RUN * context.runs(), MOST_MILLIS, "1m"));
            measurements.add(measure(spark, LARGE, LARGE_STEPS_PER_RUN * context.runs(), MOST_MILLIS_LARGE, "25m"));
        }
        return measurements;
    }

    /** The first half of the steps warms up. */
    private static Measurement measure(JavaSparkContext spark, int elements, int steps, double limit, String name) {
        List<Double> times = ExchangeTiming.measure(spark, elements, EXECUTORS, 2 * steps);
        List<Double> counted = times.subList(times.size() / 2, times.size());
        return new Measurement(
                "exchange." + name + "_floats",
                Median.of(counted.stream().mapToDouble(Double::doubleValue)),
                "ms",
                Limit.atMost(limit),
                "barrier, %d executors of one core on one host, wall time, median of %d steps"
                        .formatted(EXECUTORS, counted.size()));
    }
}
