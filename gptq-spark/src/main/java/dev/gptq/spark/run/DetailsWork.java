package dev.gptq.spark.run;

import dev.gptq.calibrate.ActivationHistogram;
import dev.gptq.calibrate.BlockStatistics;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.config.RunConfig;
import dev.gptq.evaluate.Disagreement;
import dev.gptq.evaluate.Latency;
import dev.gptq.graph.SampleBatch;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.report.ReportDetails;
import dev.gptq.report.RoundingFlips;
import dev.gptq.report.SampleImage;
import dev.gptq.spark.data.SampleStore;
import dev.gptq.spark.evaluate.EvaluateStage;
import dev.gptq.train.LearningRates;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What the report shows beyond the metrics, while samples and models are at hand. */
final class DetailsWork {
    private DetailsWork() {}

    /**
     * Details of a run whose models have been evaluated.
     *
     * @param folder of the evaluated samples in the run directory
     * @param worst the samples with the largest differences
     */
    static ReportDetails of(
            RunContext context, RunState state, DatasetConfig dataset, String folder, List<Disagreement> worst) {
        RunConfig config = context.config();
        SampleStore store =
                SampleStore.open(context.files().path(folder), context.spark().hadoopConfiguration());
        BlockStatistics statistics = BlockStatistics.fromJson(context.files().readText(RunDirectory.STATISTICS));
        int steps = state.history.size();
        return new ReportDetails(
                latency(state.models, store.read(0, 1)),
                steps == 0 ? null : LearningRates.of(config.gptq(), steps, ReportDetails.POINTS),
                RoundingFlips.of(state.ptqLayers, state.layers),
                ActivationHistogram.of(statistics, state.plan, ReportDetails.BINS),
                worst.stream()
                        .map(sample -> new ReportDetails.Sample(sample, image(store, sample.sample(), dataset)))
                        .toList());
    }

    private static List<Latency> latency(EvaluateStage.Models models, SampleBatch sample) {
        Map<String, OnnxModel> files = new LinkedHashMap<>();
        files.put("float", models.floatModel());
        files.put("ptq", models.ptqModel());
        files.put("gptq", models.gptqModel());
        return Latency.measure(files, sample);
    }

    /** The first input of the sample that is an image, or null. */
    private static String image(SampleStore store, long sample, DatasetConfig dataset) {
        return store.read(sample, 1).inputs().entrySet().stream()
                .map(input -> {
                    InputMapping mapping = dataset.inputs().get(input.getKey());
                    return mapping == null ? null : SampleImage.of(input.getValue(), mapping.mean(), mapping.std());
                })
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }
}
