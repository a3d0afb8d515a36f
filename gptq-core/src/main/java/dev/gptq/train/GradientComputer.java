package dev.gptq.train;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.hessian.LossWeights;

/** The gradient of one micro-batch as a pure function; used by the local trainer and by Spark lanes alike. */
public final class GradientComputer {
    /** {@code lossWeights.perSample} is not used here (micro-batches bring theirs) and may be null. */
    public GradientComputer(
            GraphExecutor floatModel, QuantizationPlan plan, GradientPTQConfig config, LossWeights lossWeights) {
        throw new UnsupportedOperationException();
    }

    /** Runs teacher and student and differentiates the distillation loss. Thread-safe. */
    public LaneGradient compute(StudentParameters parameters, MicroBatch batch) {
        throw new UnsupportedOperationException();
    }
}
