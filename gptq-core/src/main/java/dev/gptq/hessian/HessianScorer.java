package dev.gptq.hessian;

import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;

/** Label-free Hessian scores of the float model's compare points. */
public final class HessianScorer {
    public HessianScorer(GraphExecutor floatModel, GPTQHessianScoresConfig config, long seed) {
        throw new UnsupportedOperationException();
    }

    /**
     * Scores a batch: [sample][compare point]. With {@code per_sample} the maximum over output channels of the
     * PER_OUTPUT_CHANNEL score (sample-layer attention), else the PER_TENSOR score. Depends on nothing but the samples'
     * values, their index, the model, and the seed.
     */
    public double[][] score(SampleBatch batch) {
        throw new UnsupportedOperationException();
    }
}
