package dev.gptq.spark.cluster;

import dev.gptq.spark.TestModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** The whole pipeline on a standalone cluster of two workers: the same quantized model as in one JVM, whatever happens. */
@Tag("cluster")
@DisabledOnOs(OS.WINDOWS)
class ClusterIT {
    private static final int STEPS = 18;
    private static final int CHECKPOINT_INTERVAL = 5;
    private static final int ENDED_BY_SIGKILL = 128 + 9;

    @TempDir
    static Path folder;

    private static StandaloneCluster cluster;

    @BeforeAll
    static void runInOneJvm() throws Exception {
        TestModel.writeModel(folder.resolve("model.onnx"));
        TestModel.writeSamples(folder.resolve("data"), 3);
        cluster = StandaloneCluster.start(Files.createDirectories(folder.resolve("cluster")), 2, 2);
        Process local =
                cluster.startDriver(ClusterDriver.class, Map.of("spark.master", "local[2]"), arguments("local", 0));
        finish(local);
        assertThat(stepsOf("local")).hasSize(STEPS);
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @ParameterizedTest(name = "{0} executors of {1} cores")
    @CsvSource({"1, 2", "2, 1", "4, 1"})
    void theModelHasTheSameBitsOnAnyNumberOfExecutors(int executors, int cores) throws Exception {
        String run = "run-%d-%d".formatted(executors, cores);

        finish(cluster.startDriver(ClusterDriver.class, executors, cores, arguments(run, 0)));

        assertThat(eventsOf(run)).startsWith("executors " + executors);
        assertSameModel(run);
    }

    @Test
    void aKilledExecutorDoesNotChangeTheModel() throws Exception {
        Process driver = cluster.startDriver(ClusterDriver.class, 2, 1, arguments("executor-killed", 6));
        waitForStep(driver, "executor-killed", 6);
        List<ProcessHandle> executors = cluster.executors();
        assertThat(executors).hasSize(2);

        Files.createFile(ClusterDriver.continueFile(events("executor-killed")));
        executors.get(0).destroyForcibly();
        executors.get(0).onExit().get(1, TimeUnit.MINUTES);
        assertThat(stepsOf("executor-killed")).hasSizeLessThan(STEPS);
        finish(driver);

        assertThat(stepsOf("executor-killed")).hasSize(STEPS);
        assertSameModel("executor-killed");
    }

    @Test
    void aKilledDriverResumesFromItsCheckpointAndEndsWithTheSameModel() throws Exception {
        int step = 1 + new Random().nextInt(STEPS - 1);
        Process driver = cluster.startDriver(ClusterDriver.class, 2, 1, arguments("driver-killed", step));
        waitForStep(driver, "driver-killed", step);

        driver.destroyForcibly();
        assertThat(driver.waitFor()).isEqualTo(ENDED_BY_SIGKILL);
        assertThat(folder.resolve("driver-killed/quantized.onnx")).doesNotExist();
        Files.delete(events("driver-killed"));
        finish(cluster.startDriver(ClusterDriver.class, 2, 1, arguments("driver-killed", 0)));

        assertThat(stepsOf("driver-killed").get(0))
                .as("first step after a kill after step %d", step)
                .isEqualTo("step " + (step / CHECKPOINT_INTERVAL * CHECKPOINT_INTERVAL + 1));
        assertSameModel("driver-killed");
    }

    private static void assertSameModel(String run) {
        assertThat(folder.resolve(run).resolve("quantized.onnx"))
                .hasSameBinaryContentAs(folder.resolve("local/quantized.onnx"));
    }

    private static String[] arguments(String run, int pauseAfter) {
        return new String[] {
            folder.toString(), folder.resolve(run).toString(), events(run).toString(), String.valueOf(pauseAfter)
        };
    }

    private static Path events(String run) {
        return folder.resolve(run + ".events");
    }

    private static List<String> eventsOf(String run) throws IOException {
        return Files.readAllLines(events(run));
    }

    private static List<String> stepsOf(String run) throws IOException {
        return eventsOf(run).stream().filter(line -> line.startsWith("step ")).toList();
    }

    private static void waitForStep(Process driver, String run, int step) throws Exception {
        Waiting.until("step " + step + " of " + run, () -> {
            assertThat(driver.isAlive()).as("driver runs").isTrue();
            return Files.exists(events(run)) && stepsOf(run).size() >= step;
        });
    }

    private static void finish(Process driver) throws Exception {
        boolean ended = driver.waitFor(3, TimeUnit.MINUTES);
        assertThat(ended).as("driver ended; %s", ended ? "" : cluster.log()).isTrue();
        assertThat(driver.exitValue())
                .as("driver's status; %s", driver.exitValue() == 0 ? "" : cluster.log())
                .isZero();
    }
}
