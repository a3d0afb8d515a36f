package dev.gptq.train;

import java.util.List;

/**
 * Pushes soft roundings towards 0 or 1 (MCT, soft_quantizer_reg):
 * factor * (sum_l r_l sum_elements [1 - |2 (h - 0.5)|^beta]) / max_l r_l, with beta falling over the run.
 */
final class RoundingRegularizer {
    /** Keeps the error of |x|^beta below 1e-8 up to beta = 20. */
    private static final int TABLE_INTERVALS = 512;

    private final List<SoftRoundingQuantizer> layers;
    private final double[] weights;
    private final LinearAnnealing exponent;

    /** {@code layerWeights} has one weight r_l per layer; only their ratio to the largest matters. */
    RoundingRegularizer(List<SoftRoundingQuantizer> layers, float[] layerWeights, double factor, int totalSteps) {
        this.layers = List.copyOf(layers);
        this.exponent = LinearAnnealing.regularizerExponent(totalSteps);
        double largest = 0;
        for (float weight : layerWeights) {
            largest = Math.max(largest, weight);
        }
        this.weights = new double[layerWeights.length];
        for (int l = 0; l < weights.length; l++) {
            // Without any positive weight there is nothing to be relative to, and the term vanishes.
            weights[l] = largest > 0 ? factor * layerWeights[l] / largest : 0;
        }
    }

    /** Adds the gradient with respect to the rounding variables to {@code gradient}; returns the value. */
    double addTo(float[] gradient, int step) {
        double beta = exponent.at(step);
        SmoothTable power = new SmoothTable(
                0,
                1,
                TABLE_INTERVALS,
                x -> DeterministicMath.pow(x, beta),
                x -> beta * DeterministicMath.pow(x, beta - 1));
        double value = 0;
        for (int l = 0; l < layers.size(); l++) {
            value += weights[l] * addLayer(layers.get(l), gradient, weights[l], beta, power);
        }
        return value;
    }

    private static double addLayer(
            SoftRoundingQuantizer layer, float[] gradient, double weight, double beta, SmoothTable powers) {
        float[] target = layer.target();
        float[] slope = layer.slope();
        double sum = 0;
        for (int i = 0; i < target.length; i++) {
            double distance = 2 * (target[i] - 0.5);
            double size = Math.abs(distance);
            double power = powers.at(size);
            sum += 1 - power;
            // d/dh = -2 beta sign(distance) size^(beta - 1); beta >= 2, so it vanishes at distance 0.
            double derivative = size == 0 ? 0 : -2 * beta * power / distance;
            gradient[layer.offset + i] += (float) (weight * derivative * slope[i]);
        }
        return sum;
    }
}
