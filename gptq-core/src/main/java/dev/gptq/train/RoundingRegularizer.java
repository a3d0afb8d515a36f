package dev.gptq.train;

/**
 * Pushes soft roundings towards 0 or 1 (MCT, soft_quantizer_reg):
 * factor * (sum_l r_l sum_elements [1 - |2 (h - 0.5)|^beta]) / max_l r_l, with beta falling over the run; zero in phases that
 * are not regularized.
 */
final class RoundingRegularizer {
    /** Keeps the error of |x|^beta below 1e-8 up to beta = 20. */
    private static final int TABLE_INTERVALS = 512;

    private final double[] weights;
    private final RoundingPhases phases;
    /** |x|^beta of the step asked for last: all pieces of a step share it. */
    private volatile Powers powers;

    /** {@code layerWeights} has one weight r_l per layer; only their ratio to the largest matters. */
    RoundingRegularizer(float[] layerWeights, double factor, RoundingPhases phases) {
        this.phases = phases;
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

    /**
     * Adds the gradient with respect to the rounding variables of a layer, or of rows of it, to {@code gradient}; returns
     * their part of the value. Thread-safe.
     */
    double addTo(int layer, SoftRoundingQuantizer rows, float[] gradient, int step) {
        if (!phases.isRegularized(step)) {
            return 0;
        }
        Powers current = powers;
        if (current == null || current.step != step) {
            current = Powers.of(step, phases.regularizerExponent().at(step));
            powers = current;
        }
        return weights[layer] * add(rows, gradient, weights[layer], current);
    }

    private record Powers(int step, double beta, SmoothTable table) {
        static Powers of(int step, double beta) {
            SmoothTable table = new SmoothTable(
                    0,
                    1,
                    TABLE_INTERVALS,
                    x -> DeterministicMath.pow(x, beta),
                    x -> beta * DeterministicMath.pow(x, beta - 1));
            return new Powers(step, beta, table);
        }
    }

    private static double add(SoftRoundingQuantizer layer, float[] gradient, double weight, Powers powers) {
        float[] target = layer.target();
        float[] slope = layer.slope();
        double sum = 0;
        for (int i = 0; i < target.length; i++) {
            double distance = 2 * (target[i] - 0.5);
            double size = Math.abs(distance);
            double power = powers.table.at(size);
            sum += 1 - power;
            // d/dh = -2 beta sign(distance) size^(beta - 1); beta >= 2, so it vanishes at distance 0.
            double derivative = size == 0 ? 0 : -2 * powers.beta * power / distance;
            gradient[layer.offset + i] += (float) (weight * derivative * slope[i]);
        }
        return sum;
    }
}
