package dev.gptq.jobs.bench;

import dev.gptq.engine.Engines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;

/**
 * Resident memory of a driver and its executor: after 2,000 steps against after 200, and with 64 times the samples against
 * once. Heaps have a fixed size and are resident from the start, so that growth is native memory.
 */
final class MemoryBenchmark implements Benchmark {
    private static final int EARLY_STEP = 200;
    private static final int LATE_STEP = 2000;
    private static final int FEW_SAMPLES = 16;
    private static final int MANY_SAMPLES = 64 * FEW_SAMPLES;
    private static final double MOST_GROWTH = 1.05;
    private static final String HEAP = "512m";

    /** MiB at two steps. */
    private record Memory(double driverEarly, double driverLate, double executorEarly, double executorLate) {}

    @Override
    public List<Measurement> run(BenchContext context) throws Exception {
        int left = arraysLeft(context);
        Memory few = measure(FEW_SAMPLES, context);
        Memory many = measure(MANY_SAMPLES, context);
        String steps = "m1, batch %d, %d samples, step %d over step %d, heap %s"
                .formatted(MemoryDriver.BATCH, MANY_SAMPLES, LATE_STEP, EARLY_STEP, HEAP);
        String samples = "m1, batch %d, %d over %d samples at step %d, heap %s"
                .formatted(MemoryDriver.BATCH, MANY_SAMPLES, FEW_SAMPLES, LATE_STEP, HEAP);
        return List.of(
                new Measurement(
                        "memory.native_arrays_left",
                        left,
                        "arrays",
                        Limit.atMost(0),
                        "alive after all stages of a run of m1 in local[2]"),
                growth("memory.driver.steps", many.driverLate, many.driverEarly, steps),
                growth("memory.executor.steps", many.executorLate, many.executorEarly, steps),
                growth("memory.driver.samples", many.driverLate, few.driverLate, samples),
                growth("memory.executor.samples", many.executorLate, few.executorLate, samples),
                Measurement.of("memory.driver", many.driverLate, "MiB", steps),
                Measurement.of("memory.executor", many.executorLate, "MiB", steps));
    }

    private static Measurement growth(String name, double late, double early, String conditions) {
        return new Measurement(name, late / early, "ratio", Limit.atMost(MOST_GROWTH), conditions);
    }

    private static Memory measure(int samples, BenchContext context) throws Exception {
        context.progress().accept("  %d steps over %d samples ...".formatted(LATE_STEP, samples));
        int epochs = (LATE_STEP * MemoryDriver.BATCH + samples - 1) / samples;
        try (TemporaryFolder folder = TemporaryFolder.create();
                BenchCluster cluster = BenchCluster.start(folder.path())) {
            Path steps = folder.path().resolve("steps");
            Process driver = cluster.java(
                    MemoryDriver.class.getName(),
                    options(cluster.settings(1, 1, HEAP)),
                    List.of(
                            context.home().toString(),
                            folder.path().resolve("work-of-run").toString(),
                            steps.toString(),
                            String.valueOf(samples),
                            String.valueOf(epochs)));
            double[] early = at(EARLY_STEP, steps, driver, cluster);
            double[] late = at(LATE_STEP - 1, steps, driver, cluster);
            return new Memory(early[0], late[0], early[1], late[1]);
        }
    }

    /** Native arrays alive after a run that were not before. */
    private static int arraysLeft(BenchContext context) throws Exception {
        int before = Engines.liveArrays();
        try (TemporaryFolder folder = TemporaryFolder.create();
                SparkSession session = BenchSpark.local(2)) {
            new BenchRun(BenchModel.M1.file(context.home()), FEW_SAMPLES, 2, List.of())
                    .execute(session, context.home(), folder.path(), done -> {});
        }
        return Engines.liveArrays() - before;
    }

    private static List<String> options(Map<String, String> settings) {
        List<String> options = new ArrayList<>(List.of("-Xmx" + HEAP));
        options.addAll(List.of(BenchCluster.MEMORY_OPTIONS.split(" ")));
        settings.forEach((name, value) -> options.add("-D" + name + "=" + value));
        options.add("-Dspark.executor.extraJavaOptions=-Dai.djl.offline=true " + BenchCluster.MEMORY_OPTIONS);
        options.add("-Dspark.sql.shuffle.partitions=2");
        return options;
    }

    /** {driver, executor} when the step is done. */
    private static double[] at(int step, Path steps, Process driver, BenchCluster cluster) throws Exception {
        while (!reached(step, steps)) {
            if (!driver.isAlive()) {
                throw new IllegalStateException("The driver ended before step " + step + ".");
            }
            Thread.sleep(BenchCluster.PAUSE_MILLIS);
        }
        double executor = cluster.executors().stream()
                .mapToDouble(process -> ResidentMemory.mebibytes(process.pid()))
                .max()
                .orElse(Double.NaN);
        return new double[] {ResidentMemory.mebibytes(driver.pid()), executor};
    }

    private static boolean reached(int step, Path steps) throws IOException {
        return Files.exists(steps) && Files.readAllLines(steps).size() >= step;
    }
}
