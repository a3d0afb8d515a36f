package dev.gptq.hessian;

import dev.gptq.config.GPTQHessianScoresConfig;
import java.io.Serializable;
import java.util.Arrays;

/**
 * What the loss and the regularizer are weighted with, one weight per compare point.
 *
 * @param perLayer the loss's; with sample-layer attention the mean of A[sample][compare point] over samples
 * @param regularizer mean of A with attention, else ones
 */
public record LossWeights(float[] perLayer, float[] regularizer) implements Serializable {
    /** Every layer weighs 1 / L: the weights without Hessian scores. */
    public static LossWeights equal(int comparePoints) {
        float[] equal = new float[comparePoints];
        Arrays.fill(equal, 1f / comparePoints);
        return new LossWeights(equal, ones(comparePoints));
    }

    /**
     * Reduces the scores of all samples by {@code config}, which they have been summed for (MCT,
     * compute_hessian_based_weights).
     *
     * <p>Other than MCT, {@code log_norm = false} keeps one weight per layer, several zero means are replaced by the
     * smallest one that is not zero, and layers of equal means (a single layer, say) get weight one under {@code log_norm}
     * instead of zero, which would switch the loss off.
     */
    public static LossWeights of(ScoreSums sums, GPTQHessianScoresConfig config) {
        double[] mean = sums.means();
        if (config.perSample()) {
            return new LossWeights(toFloats(mean), toFloats(mean));
        }
        return new LossWeights(
                toFloats(config.resolvedLogNorm() ? logarithms(mean, config.scaleLogNorm()) : mean), ones(mean.length));
    }

    private static float[] ones(int length) {
        float[] ones = new float[length];
        Arrays.fill(ones, 1f);
        return ones;
    }

    /** log10 of the means, moved so that the smallest is zero, and scaled so that the largest is one if asked for. */
    private static double[] logarithms(double[] means, boolean scale) {
        double smallestPositive =
                Arrays.stream(means).filter(mean -> mean > 0).min().orElse(1);
        double[] logarithms = Arrays.stream(means)
                .map(mean -> StrictMath.log10(mean > 0 ? mean : smallestPositive))
                .toArray();
        double min = Arrays.stream(logarithms).min().orElse(0);
        double max = Arrays.stream(logarithms).max().orElse(0);
        if (min == max) {
            Arrays.fill(logarithms, 1);
            return logarithms;
        }
        double divisor = scale ? max - min : 1;
        return Arrays.stream(logarithms).map(value -> (value - min) / divisor).toArray();
    }

    private static float[] toFloats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }
}
