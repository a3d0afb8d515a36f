package dev.gptq.spark.cluster;

import dev.gptq.spark.TestModel;
import dev.gptq.spark.run.GptqPipeline;
import dev.gptq.spark.run.ProgressListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.apache.spark.sql.SparkSession;

/**
 * Quantizes the test model in a JVM of its own. Arguments: the folder of model and data, the run directory, a file that
 * gets a line "executors N" and one "step N" after each training step, and a step after which to pause (0 for none) until
 * the file is followed by one whose name ends in ".continue".
 */
final class ClusterDriver {
    private ClusterDriver() {}

    public static void main(String[] arguments) throws IOException {
        Path events = Path.of(arguments[2]);
        long pauseAfter = Long.parseLong(arguments[3]);
        try (SparkSession session =
                SparkSession.builder().appName("cluster test").getOrCreate()) {
            // The driver counts as one.
            write(events, "executors " + (session.sparkContext().statusTracker().getExecutorInfos().length - 1));
            GptqPipeline.run(
                    TestModel.config(Path.of(arguments[0]), Path.of(arguments[1]))
                            .build(),
                    session,
                    new Recorder(events, pauseAfter));
        }
    }

    static Path continueFile(Path events) {
        return events.resolveSibling(events.getFileName() + ".continue");
    }

    private static void write(Path events, String line) {
        try {
            Files.writeString(events, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private record Recorder(Path events, long pauseAfter) implements ProgressListener {
        @Override
        public void stageStarted(String stage, long totalUnits) {}

        @Override
        public void advanced(String stage, long doneUnits, String detail) {
            if (!stage.equals("train")) {
                return;
            }
            write(events, "step " + doneUnits);
            if (doneUnits == pauseAfter) {
                try {
                    Waiting.until("the test lets go", () -> Files.exists(continueFile(events)));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
        }

        @Override
        public void stageFinished(String stage, double seconds, String summary) {}

        @Override
        public void warning(String line) {
            write(events, "warning " + line);
        }
    }
}
