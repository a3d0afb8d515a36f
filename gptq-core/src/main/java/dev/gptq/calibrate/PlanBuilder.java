package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.Graph;
import java.util.List;

/** Chooses every threshold: statistics and weights -> quantization plan. */
public final class PlanBuilder {
    private PlanBuilder() {}

    /** Builds the plan: kernels of all compare points, and the activation tensors of {@link ActivationTensors}. */
    public static QuantizationPlan build(Graph prepared, BlockStatistics statistics, QuantizationConfig config) {
        throw new UnsupportedOperationException();
    }

    /** Plain post-training quantization: kernels rounded to nearest, biases corrected. In plan order. */
    public static List<QuantizedLayer> roundToNearest(Graph prepared, QuantizationPlan plan) {
        throw new UnsupportedOperationException();
    }
}
