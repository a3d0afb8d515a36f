package dev.gptq.jobs.tracking;

import dev.gptq.config.DatasetConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.TrackingConfig;
import dev.gptq.report.RunMetrics;
import dev.gptq.report.RunMetrics.ModelMetrics;
import dev.gptq.spark.run.ProgressListener;
import dev.gptq.train.RoundingTrainer.StepResult;
import java.util.List;
import java.util.Map;

/** What a run of three steps and two layers tells trackers. */
final class Runs {
    private Runs() {}

    static RunConfig config(TrackingConfig tracking) {
        return RunConfig.builder()
                .setModel("s3a://user:hunter2@models/model.onnx")
                .setCalibration(DatasetConfig.of("data.parquet", Map.of("x", InputMapping.of("x"))))
                .setGptq(GradientPTQConfig.defaults(1))
                .setOutput(new OutputConfig("runs/first", false))
                .optTracking(tracking)
                .build();
    }

    static void play(ProgressListener listener, RunConfig config) {
        listener.runStarted("id-1", config);
        for (int step = 0; step < 3; step++) {
            listener.stepDone(new StepResult(step, 1.5 / (step + 1), 1.0 / (step + 1), 0.5 / (step + 1)), 3);
            listener.layersDone(step, Map.of("conv:1", 0.25 / (step + 1)));
        }
        listener.checkpointWritten(3, () -> Map.of("conv:1", new float[] {0, 0.25f, 1, 1}));
        listener.evaluated(new RunMetrics(
                new ModelMetrics(0.9, null, null, null, 1000L),
                new ModelMetrics(0.5, 3.0, 0.8, 0.6, 300L),
                new ModelMetrics(0.8, 9.0, 0.9, 0.85, 300L),
                Map.of(),
                new RunMetrics.EngineAgreement(1.0, 1),
                null,
                List.of(new RunMetrics.Layer("conv:1", 4, 0.5, 10, Double.NaN)),
                List.of()));
    }
}
