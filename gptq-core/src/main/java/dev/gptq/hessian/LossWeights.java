package dev.gptq.hessian;

import dev.gptq.config.GPTQHessianScoresConfig;
import java.io.Serializable;
import java.util.Arrays;

/**
 * What the loss and the regularizer are weighted with.
 *
 * @param perSample sample-layer attention A[sample][compare point], or null
 * @param perLayer one weight per compare point when {@code perSample} is null, else the mean of A over samples
 * @param regularizer one weight per compare point (mean of A with attention, else ones)
 */
public record LossWeights(float[][] perSample, float[] perLayer, float[] regularizer) implements Serializable {
    private static final double EPSILON = 1e-8;

    /**
     * Reduces scores [sample][compare point] by {@code config} (MCT, compute_hessian_based_weights); null config: every layer weighs 1 / L.
     *
     * <p>Other than MCT, {@code log_norm = false} keeps one weight per layer, several zero means are replaced by the
     * smallest one that is not zero, and layers of equal means (a single layer, say) get weight one under {@code log_norm}
     * instead of zero, which would switch the loss off.
     */
    public static LossWeights reduce(double[][] scores, int comparePoints, GPTQHessianScoresConfig config) {
        float[] ones = new float[comparePoints];
        Arrays.fill(ones, 1f);
        if (config == null) {
            float[] equal = new float[comparePoints];
            Arrays.fill(equal, 1f / comparePoints);
            return new LossWeights(null, equal, ones);
        }
        if (scores.length == 0) {
            throw new IllegalArgumentException("Cannot reduce Hessian scores: no sample was scored.");
        }
        if (config.perSample()) {
            float[][] attention = new float[scores.length][];
            for (int sample = 0; sample < scores.length; sample++) {
                attention[sample] = toFloats(scores[sample]);
            }
            float[] mean = toFloats(meanOverSamples(scores, comparePoints, false));
            return new LossWeights(attention, mean, mean.clone());
        }
        double[] mean = meanOverSamples(scores, comparePoints, isOn(config.normScores()));
        if (isOn(config.logNorm())) {
            mean = logarithms(mean, config.scaleLogNorm());
        }
        return new LossWeights(null, toFloats(mean), ones);
    }

    /**
     * Per layer, the largest mean weight that a global batch's SLA loss is divided by: max_l mean_b A[b,l]. One without
     * attention, and where all weights are zero.
     */
    public double attentionDenominator(long[] sampleIndices) {
        if (perSample == null) {
            return 1;
        }
        double largest = 0;
        for (int layer = 0; layer < perLayer.length; layer++) {
            double sum = 0;
            for (long sample : sampleIndices) {
                sum += perSample[Math.toIntExact(sample)][layer];
            }
            largest = Math.max(largest, sum / sampleIndices.length);
        }
        return largest > 0 ? largest : 1;
    }

    /** A setting that is null follows {@code !per_sample}, which holds where this is asked. */
    private static boolean isOn(Boolean setting) {
        return setting == null || setting;
    }

    private static double[] meanOverSamples(double[][] scores, int layers, boolean normalize) {
        double[] mean = new double[layers];
        for (double[] sample : scores) {
            double divisor = normalize ? Arrays.stream(sample).sum() + EPSILON : 1;
            for (int layer = 0; layer < layers; layer++) {
                mean[layer] += sample[layer] / divisor;
            }
        }
        for (int layer = 0; layer < layers; layer++) {
            mean[layer] /= scores.length;
        }
        return mean;
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
