package dev.gptq.hessian;

import dev.gptq.config.GPTQHessianScoresConfig;
import java.io.Serializable;

/**
 * What the loss and the regularizer are weighted with.
 *
 * @param perSample sample-layer attention A[sample][compare point], or null
 * @param perLayer one weight per compare point when {@code perSample} is null, else the mean of A over samples
 * @param regularizer one weight per compare point (mean of A with attention, else ones)
 */
public record LossWeights(float[][] perSample, float[] perLayer, float[] regularizer) implements Serializable {
    /** Reduces scores [sample][compare point] by {@code config}; null config: every layer weighs 1 / L. */
    public static LossWeights reduce(double[][] scores, int comparePoints, GPTQHessianScoresConfig config) {
        throw new UnsupportedOperationException();
    }

    /** Per layer, the largest mean weight that a global batch's SLA loss is divided by: max_l mean_b A[b,l]. */
    public double attentionDenominator(long[] sampleIndices) {
        throw new UnsupportedOperationException();
    }
}
