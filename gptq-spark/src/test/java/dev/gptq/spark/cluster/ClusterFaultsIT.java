package dev.gptq.spark.cluster;

import dev.gptq.config.TrainingConfig;
import dev.gptq.spark.cluster.ClusterDriver.Fault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Whatever happens to executors and drivers, the quantized model has the bits of an undisturbed run. */
@Tag("cluster")
@DisabledOnOs(OS.WINDOWS)
@ExtendWith(SharedCluster.Resolver.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClusterFaultsIT {
    private static final int STEPS = 18;
    private static final int CHECKPOINT_INTERVAL = 5;
    private static final Map<String, String> SPECULATION = Map.of(
            "spark.speculation", "true",
            "spark.speculation.interval", "50ms",
            "spark.speculation.quantile", "0.5",
            "spark.speculation.multiplier", "1.1",
            "spark.speculation.minTaskRuntime", "300ms",
            "spark.shuffle.io.maxRetries", "1",
            "spark.shuffle.io.retryWait", "100ms");

    private final SharedCluster cluster;
    /** Two executors of one core, with speculation; started by the first test that needs it. */
    private ClusterApplication application;

    ClusterFaultsIT(SharedCluster cluster) {
        this.cluster = cluster;
    }

    static Stream<String> exchanges() {
        return ClusterIT.exchanges();
    }

    @AfterAll
    void stop() throws IOException {
        if (application != null) {
            application.close();
            application = null;
        }
    }

    @ParameterizedTest
    @MethodSource("exchanges")
    void aTaskThatFailsWithNativeMemoryIsTriedAgainAndNothingLeaks(String exchange) throws Exception {
        ClusterRun run = new ClusterRun("failed-" + exchange, exchange).withFault(Fault.FAILED_IN_LANE, STEPS / 2);
        for (Path counts : numbersOfArrays()) {
            Files.delete(counts);
        }

        List<String> events = run(run);

        assertThat(events).contains("task failed").doesNotContain("executor removed");
        cluster.assertSameModel(run);
        assertThat(numbersOfArrays()).isNotEmpty().allSatisfy(ClusterFaultsIT::assertNumberOfArraysDoesNotGrow);
    }

    /** One file per executor. */
    private List<Path> numbersOfArrays() throws IOException {
        Path folder = application == null ? cluster.folder() : cluster.faults();
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith("arrays-"))
                    .toList();
        }
    }

    /** Numbers are taken at the same point of every lane; the first steps have fewer, for they quantize no activations. */
    private static void assertNumberOfArraysDoesNotGrow(Path counts) {
        try {
            List<Integer> alive =
                    Files.readAllLines(counts).stream().map(Integer::valueOf).toList();
            assertThat(alive).hasSizeGreaterThan(10);
            int early = alive.size() / 4;
            assertThat(alive.subList(early, alive.size())).containsOnly(alive.get(early));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("exchanges")
    void aStoppedExecutorsLaneIsComputedTwiceAndCountsOnce(String exchange) throws Exception {
        ClusterRun run = new ClusterRun("stopped-" + exchange, exchange).withFault(Fault.STOPPED_IN_LANE, 6);

        List<String> events = run(run);

        if (exchange.equals(TrainingConfig.JOB)) {
            // Barrier tasks have no second attempt beside the first.
            assertThat(events).contains("speculative task");
        }
        cluster.assertSameModel(run);
    }

    @ParameterizedTest
    @MethodSource("exchanges")
    void anExecutorKilledInTheMiddleOfAStepDoesNotChangeTheModel(String exchange) throws Exception {
        ClusterRun run = new ClusterRun("killed-" + exchange, exchange).withFault(Fault.KILLED_IN_LANE, 7);

        List<String> events = run(run);

        assertThat(events).contains("executor removed");
        cluster.assertSameModel(run);
    }

    @Test
    void anExecutorThatOwnsASliceIsKilledAndTrainingBeginsAgainAtTheCheckpoint() throws Exception {
        ClusterRun run = new ClusterRun("owner", TrainingConfig.BARRIER)
                .onModel(ClusterRun.WIDE_MODEL)
                .withFault(Fault.KILLED_IN_LANE, CHECKPOINT_INTERVAL + 1);

        List<String> events = run(run);

        assertThat(events).contains("executor removed", "stage again");
        assertThat(events).anyMatch(line -> line.startsWith("warning Training begins again at the last checkpoint: "));
        cluster.assertSameModel(run);
    }

    @Test
    void aMachineThatIsLostForGoodLeavesTrainingToTheOthers() throws Exception {
        ClusterRun run = new ClusterRun("lost", TrainingConfig.BARRIER)
                .withTimeout(3)
                .withFault(Fault.LOST_IN_LANE, CHECKPOINT_INTERVAL + 1);

        // Its executors take half of each worker.
        stop();
        List<String> events;
        // Executors as large as workers: none can be started on the worker that is left.
        try (ClusterApplication twoMachines = cluster.start(2, 2, Map.of())) {
            events = twoMachines.run(run);
        } finally {
            cluster.replaceLostWorkers();
        }

        assertThat(events)
                .contains(
                        "executor removed",
                        "warning Executors are missing for 3 s; training goes on with those that are there.")
                .endsWith("done");
        assertThat(events)
                .filteredOn(line -> line.startsWith("warning Training begins again"))
                .singleElement()
                .asString()
                .contains("worker lost");
        cluster.assertSameModel(run);
    }

    @Test
    void anExecutorThatAnswersTooLateIsNamedAndTrainingBeginsAgainAtTheCheckpoint() throws Exception {
        ClusterRun run = new ClusterRun("late", TrainingConfig.BARRIER)
                .withTimeout(3)
                .withFault(Fault.LATE_IN_LANE, CHECKPOINT_INTERVAL + 1);

        List<String> events = run(run);

        assertThat(events).contains("stage again");
        assertThat(events)
                .anyMatch(line -> line.matches(
                        "warning Training begins again .* no word from executor \\d+ at 127.0.0.\\d:\\d+ for 3 s .*"));
        cluster.assertSameModel(run);
    }

    @Test
    void gradientsLostBetweenTheStagesOfASlicedFoldAreComputedAgain() throws Exception {
        ClusterRun run = new ClusterRun("fold", TrainingConfig.JOB)
                .onModel(ClusterRun.WIDE_MODEL)
                .withFault(Fault.KILLED_BEFORE_FOLD, 3);

        List<String> events = run(run);

        assertThat(events).contains("executor removed", "stage again");
        cluster.assertSameModel(run);
    }

    /** How gradients meet may change with each start. */
    @Test
    void aKilledDriverResumesFromTheNewestCheckpointThatIsWhole() throws Exception {
        Random random = new Random();
        int first = CHECKPOINT_INTERVAL + random.nextInt(CHECKPOINT_INTERVAL);
        int second = 2 * CHECKPOINT_INTERVAL + random.nextInt(CHECKPOINT_INTERVAL);
        // What fails names files of the run, and thereby the steps.
        String name = "driver-%d-%d".formatted(first, second);
        ClusterRun run = new ClusterRun(name, TrainingConfig.BARRIER);
        ClusterRun other = new ClusterRun(name, TrainingConfig.JOB);
        try (ClusterApplication killed = cluster.start(2, 1, Map.of())) {
            killed.runUntilKilled(run, first);
        }
        assertThat(cluster.folder().resolve(run.name()).resolve("quantized.onnx"))
                .doesNotExist();
        Files.delete(run.events(cluster.folder()));
        try (ClusterApplication killed = cluster.start(2, 1, Map.of())) {
            killed.runUntilKilled(other, second);
        }
        assertThat(ClusterIT.steps(Files.readAllLines(run.events(cluster.folder()))))
                .as("steps after a kill after step %d", first)
                .startsWith("step " + (CHECKPOINT_INTERVAL + 1));
        Files.delete(run.events(cluster.folder()));
        damage(cluster.folder().resolve(run.name()).resolve("checkpoints/step-10/arrays.bin"));

        List<String> events;
        try (ClusterApplication resumed = cluster.start(2, 1, Map.of())) {
            events = resumed.run(run);
        }

        String kills = "after a damaged checkpoint and kills after steps %d and %d".formatted(first, second);
        assertThat(events).as(kills).anyMatch(line -> line.matches("warning Checkpoint .*step-10.* is damaged.*"));
        assertThat(ClusterIT.steps(events))
                .as(kills)
                .startsWith("step " + (CHECKPOINT_INTERVAL + 1))
                .hasSize(STEPS - CHECKPOINT_INTERVAL);
        cluster.assertSameModel(run);
    }

    private static void damage(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
    }

    private List<String> run(ClusterRun run) throws IOException, InterruptedException {
        if (application == null) {
            application = cluster.start(2, 1, SPECULATION);
        }
        List<String> events = application.run(run);
        assertThat(Faults.struck(cluster.faults(), run.fault()))
                .as("the fault has struck")
                .exists();
        assertThat(events).endsWith("done");
        return events;
    }
}
