package dev.gptq.mixedprecision;

import dev.gptq.config.MixedPrecisionConfig.Sensitivity;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;

/** Measures how much the model's outputs change when one kernel or activation alone is quantized, for each choice of bits. */
public interface SensitivityMeasure extends AutoCloseable {
    /** Depends on nothing but the samples' values and index, the model, the quantizers and the seed. Thread-safe. */
    SensitivitySums of(SampleBatch samples);

    @Override
    void close();

    /** Samples per block: gradients of several samples could not be told apart. */
    static int blockSize(Sensitivity sensitivity) {
        return sensitivity == Sensitivity.HESSIAN ? 1 : OutputErrorSensitivity.BLOCK_SIZE;
    }

    static SensitivityMeasure of(
            Sensitivity sensitivity,
            GraphExecutor floatModel,
            BitChoices choices,
            CandidateQuantizers candidates,
            long seed) {
        return switch (sensitivity) {
            case HESSIAN -> new HessianSensitivity(floatModel, choices, candidates, seed);
            case OUTPUT_ERROR -> new OutputErrorSensitivity(floatModel, choices, candidates);
        };
    }
}
