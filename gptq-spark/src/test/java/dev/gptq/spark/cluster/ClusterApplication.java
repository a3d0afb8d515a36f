package dev.gptq.spark.cluster;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

/** A running application: a driver that takes commands, and its executors. */
final class ClusterApplication implements AutoCloseable {
    private static final int ENDED_BY_SIGKILL = 128 + 9;

    private final StandaloneCluster cluster;
    private final Process driver;
    private final Path folder;
    private final Writer commands;

    ClusterApplication(StandaloneCluster cluster, Process driver, Path folder) {
        this.cluster = cluster;
        this.driver = driver;
        this.folder = folder;
        this.commands = driver.outputWriter(StandardCharsets.UTF_8);
    }

    /** Runs the pipeline to its end; returns the events. */
    List<String> run(ClusterRun run) throws IOException, InterruptedException {
        start(run.format());
        return waitFor(run.events(folder), "done", "failed ");
    }

    /** Starts the pipeline and kills the driver once it has done {@code step} steps. */
    void runUntilKilled(ClusterRun run, int step) throws IOException, InterruptedException {
        start(run.pausedAfter(step).format());
        waitFor(run.events(folder), "step " + step, "failed ");
        driver.destroyForcibly();
        assertThat(driver.waitFor()).isEqualTo(ENDED_BY_SIGKILL);
    }

    /** What devices tasks see that ask for a share of a GPU; returns the events. */
    List<String> devices(double gpusPerTask) throws IOException, InterruptedException {
        Path events = folder.resolve("devices-" + gpusPerTask + ".events");
        // Of another application.
        Files.deleteIfExists(events);
        start("devices " + gpusPerTask);
        return waitFor(events, "done", "failed ");
    }

    private void start(String command) throws IOException {
        commands.write(command + "\n");
        commands.flush();
    }

    private List<String> waitFor(Path events, String end, String otherEnd) throws IOException, InterruptedException {
        Waiting.until(end + " in " + events.getFileName(), () -> {
            if (!driver.isAlive()) {
                throw new IllegalStateException("The driver has ended: " + cluster.log());
            }
            return Files.exists(events)
                    && Files.readAllLines(events).stream()
                            .anyMatch(line -> line.equals(end) || line.startsWith(otherEnd));
        });
        return Files.readAllLines(events);
    }

    /** Ends the application unless its driver is gone. */
    @Override
    public void close() throws IOException {
        if (!driver.isAlive()) {
            return;
        }
        commands.close();
        try {
            assertThat(driver.waitFor(1, TimeUnit.MINUTES))
                    .as("driver has ended")
                    .isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        assertThat(driver.exitValue())
                .as("driver's status; %s", driver.exitValue() == 0 ? "" : cluster.log())
                .isZero();
    }
}
