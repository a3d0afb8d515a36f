package dev.gptq.report;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.evaluate.BlockMetrics;
import dev.gptq.hessian.LossWeights;
import java.util.Map;

/** Builds and writes metrics.json. */
public final class MetricsFile {
    private MetricsFile() {}

    /** Metrics of a run from the folded sums of all evaluated blocks. */
    public static RunMetrics build(
            BlockMetrics sums,
            QuantizationPlan plan,
            LossWeights weights,
            Map<String, Double> timing,
            RunMetrics.Training training,
            Map<String, Long> modelBytes) {
        throw new UnsupportedOperationException();
    }

    public static String toJson(RunMetrics metrics) {
        throw new UnsupportedOperationException();
    }

    public static RunMetrics fromJson(String json) {
        throw new UnsupportedOperationException();
    }
}
