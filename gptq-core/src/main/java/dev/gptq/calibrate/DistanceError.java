package dev.gptq.calibrate;

import dev.gptq.config.ThresholdMethod;

/**
 * Mean of |Q(x) - x|^p over weighted values: MSE (p = 2), HMSE (p = 2, weighted by the Hessian), MAE (p = 1) and LP (MCT,
 * error_functions).
 */
final class DistanceError implements QuantizationError {
    private final double[] values;
    private final double[] counts;
    private final double totalCount;
    private final double power;
    private final int bits;
    private final boolean signed;

    /** {@code counts} null: every value counts once. */
    DistanceError(double[] values, double[] counts, double power, int bits, boolean signed) {
        this.values = values;
        this.counts = counts;
        this.totalCount =
                counts == null ? values.length : java.util.Arrays.stream(counts).sum();
        this.power = power;
        this.bits = bits;
        this.signed = signed;
    }

    static double power(ThresholdMethod method, double lpNorm) {
        return switch (method) {
            case MSE, HMSE -> 2;
            case MAE -> 1;
            case LP -> lpNorm;
            case NO_CLIPPING, KL -> throw new IllegalArgumentException(method + " is no distance.");
        };
    }

    @Override
    public double symmetric(double threshold) {
        int positiveLevels = 1 << (signed ? bits - 1 : bits);
        return error(threshold / positiveLevels, signed ? -positiveLevels : 0, positiveLevels - 1.0);
    }

    @Override
    public double uniform(double min, double max) {
        UniformRange range = UniformRange.includingZero(min, max, bits);
        return error(range.step(), -range.zeroPoint(), range.levels() - range.zeroPoint());
    }

    private double error(double step, double lowest, double highest) {
        double sum;
        if (power == 2) {
            sum = counts == null ? squares(step, lowest, highest) : weightedSquares(step, lowest, highest);
        } else {
            sum = powers(step, lowest, highest);
        }
        return sum / totalCount;
    }

    private double squares(double step, double lowest, double highest) {
        double inverse = 1 / step;
        double even = 0;
        double odd = 0;
        int i = 0;
        // Two sums, or the additions' latency would dominate.
        for (; i + 1 < values.length; i += 2) {
            double first = values[i] - step * Math.rint(clip(values[i] * inverse, lowest, highest));
            double second = values[i + 1] - step * Math.rint(clip(values[i + 1] * inverse, lowest, highest));
            even += first * first;
            odd += second * second;
        }
        if (i < values.length) {
            double last = values[i] - step * Math.rint(clip(values[i] * inverse, lowest, highest));
            even += last * last;
        }
        return even + odd;
    }

    private double weightedSquares(double step, double lowest, double highest) {
        double inverse = 1 / step;
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            double difference = values[i] - step * Math.rint(clip(values[i] * inverse, lowest, highest));
            sum += counts[i] * (difference * difference);
        }
        return sum;
    }

    private double powers(double step, double lowest, double highest) {
        double inverse = 1 / step;
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            double difference = Math.abs(values[i] - step * Math.rint(clip(values[i] * inverse, lowest, highest)));
            double term = power == 1 ? difference : StrictMath.pow(difference, power);
            sum += counts == null ? term : counts[i] * term;
        }
        return sum;
    }

    private static double clip(double value, double lowest, double highest) {
        return Math.max(lowest, Math.min(highest, value));
    }
}
