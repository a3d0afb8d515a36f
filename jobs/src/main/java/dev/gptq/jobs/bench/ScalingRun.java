package dev.gptq.jobs.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/** Training of {@link WideModel} on a standalone cluster of this host; as a program, in a JVM of its own. */
final class ScalingRun {
    private static final int SAMPLES = 256;
    private static final int STEPS_PER_BLOCK = 32;
    /** Until the JVMs have compiled what runs often: executors that use all cores have none to spare for that. */
    private static final int WARM_UP_STEPS = 1_024;

    private ScalingRun() {}

    /** What a measurement's conditions say of it. */
    static String conditions(int blocks) {
        return ("barrier, 400,000 parameters, batch %d in 4 lanes, executors of one core on one host, wall time,"
                        + " median of %d blocks of %d steps after %d")
                .formatted(BenchRun.BATCH, blocks, STEPS_PER_BLOCK, WARM_UP_STEPS);
    }

    /** Wall time of a step with so many executors of one core, the median of so many blocks of steps. */
    static double secondsPerStep(int executors, Path home, int blocks) throws Exception {
        int steps = WARM_UP_STEPS + STEPS_PER_BLOCK * blocks;
        int stepsPerEpoch = SAMPLES / BenchRun.BATCH;
        try (TemporaryFolder folder = TemporaryFolder.create();
                BenchCluster cluster = BenchCluster.start(folder.path().resolve("cluster"));
                SparkSession session = cluster.session(executors, 1, "1g")) {
            Path model = WideModel.write(folder.path().resolve("wide.onnx"));
            StepCosts costs = new StepCosts(WARM_UP_STEPS, STEPS_PER_BLOCK);
            new BenchRun(
                            model,
                            SAMPLES,
                            (steps + stepsPerEpoch - 1) / stepsPerEpoch,
                            List.of("training.exchange=barrier"))
                    .execute(session, home, folder.path(), costs);
            return Cost.median(costs.perStep(), Cost::wallSeconds);
        }
    }

    /**
     * How much more two cores of this host do than one: steps per second of two clusters of one executor, which run at the
     * same time and exchange nothing, over those of one cluster by itself.
     *
     * @param alone seconds per step of one cluster by itself
     */
    static double independentSpeedup(double alone, Path home, int blocks) throws Exception {
        try (TemporaryFolder folder = TemporaryFolder.create();
                BenchCluster jvms = BenchCluster.ofJvms(folder.path())) {
            Path result = folder.path().resolve("seconds");
            Process other = jvms.java(
                    ScalingRun.class.getName(),
                    List.of(),
                    List.of(home.toString(), String.valueOf(blocks), result.toString()));
            double here = secondsPerStep(1, home, blocks);
            if (other.waitFor() != 0) {
                throw new IllegalStateException("The second driver ended with status " + other.exitValue() + ".");
            }
            double there = Double.parseDouble(Files.readString(result));
            return alone / here + alone / there;
        }
    }

    /** Arguments: the project's directory, blocks, the file for the seconds per step of one executor. */
    public static void main(String[] arguments) throws Exception {
        double seconds = secondsPerStep(1, Path.of(arguments[0]), Integer.parseInt(arguments[1]));
        Files.writeString(Path.of(arguments[2]), String.valueOf(seconds));
    }
}
