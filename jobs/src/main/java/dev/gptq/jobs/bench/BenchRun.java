package dev.gptq.jobs.bench;

import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import dev.gptq.spark.run.GptqPipeline;
import dev.gptq.spark.run.ProgressListener;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.SparkSession;

/**
 * A run of the product whose training steps are watched: the quickstart's images, 4-bit weights, everything else as by
 * default.
 *
 * @param model the model that is quantized
 * @param samples of the quickstart's calibration images
 * @param epochs of {@code samples} / 32 steps each
 * @param overrides further settings, as after {@code --set}
 */
record BenchRun(Path model, int samples, int epochs, List<String> overrides) {
    static final int BATCH = 32;

    private static final String YAML =
            """
            model: '%s'
            data:
              calibration:
                path: '%s'
                id: id
                inputs:
                  input: {column: image, type: uint8, shape: [1, 28, 28], scale: 0.00392156862745098, mean: 0.2860, std: 0.3530}
                limit: %d
            quantization: {preset: imx500, weights: {bits: 4}}
            gptq: {n_epochs: %d}
            training: {batch_size: %d}
            output: {path: '%s', overwrite: true}
            """;

    /** Hears of each training step, between steps, on the driver. */
    interface StepListener {
        /** {@code done} steps are done. */
        void afterStep(long done);
    }

    /** Runs every stage in {@code session}; files go to {@code folder}. */
    void execute(SparkSession session, Path home, Path folder, StepListener listener) {
        String yaml = String.format(
                Locale.ROOT,
                YAML,
                quoted(model),
                quoted(home.resolve("conf/quickstart/calibration.parquet")),
                samples,
                epochs,
                BATCH,
                quoted(folder.resolve("run")));
        RunConfig config = RunConfigReader.read(yaml, "benchmark", overrides);
        GptqPipeline.run(config, session, new Steps(listener));
    }

    private static String quoted(Path path) {
        return path.toString().replace("'", "''");
    }

    private record Steps(StepListener listener) implements ProgressListener {
        @Override
        public void stageStarted(String stage, long totalUnits) {}

        @Override
        public void advanced(String stage, long doneUnits, String detail) {
            if (stage.equals("train")) {
                listener.afterStep(doneUnits);
            }
        }

        @Override
        public void stageFinished(String stage, double seconds, String summary) {}

        @Override
        public void warning(String line) {}
    }
}
