package dev.gptq.jobs.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/**
 * A run in a JVM of its own. Arguments: the project's directory, a folder for the run, a file that gets a line after each
 * step, samples, epochs.
 */
final class MemoryDriver {
    /** Samples per step, two in each lane: memory depends on the model and the batch, and steps are to be quick. */
    static final int BATCH = 8;

    private MemoryDriver() {}

    public static void main(String[] arguments) throws IOException {
        Path steps = Path.of(arguments[2]);
        BenchRun run = new BenchRun(
                BenchModel.M1.file(Path.of(arguments[0])),
                Integer.parseInt(arguments[3]),
                Integer.parseInt(arguments[4]),
                List.of("training.batch_size=" + BATCH));
        try (SparkSession session = SparkSession.builder().getOrCreate()) {
            run.execute(session, Path.of(arguments[0]), Path.of(arguments[1]), done -> write(steps, done));
        }
    }

    private static void write(Path steps, long done) {
        try {
            Files.writeString(steps, done + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
