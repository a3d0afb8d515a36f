package dev.gptq.calibrate;

import dev.gptq.config.ThresholdMethod;
import java.util.Arrays;

/**
 * Mean of |Q(x) - x|^p over weighted values: MSE (p = 2), HMSE (p = 2, weighted by the Hessian), MAE (p = 1) and LP (MCT,
 * error_functions).
 */
final class DistanceError implements QuantizationError {
    /** An even number that fits into the first cache. */
    private static final int TERMS = 512;

    private static final double ROUNDER = 0x1.8p52;
    private static final double LARGEST_ROUNDED = 0x1p50;

    /** In blocks of {@link #TERMS}, the last one shorter. */
    private final double[][] values;
    /** As the values; null: every value counts once. */
    private final double[][] counts;

    private final double totalCount;
    private final double power;
    private final int bits;
    private final boolean signed;
    /** Room for the terms of the values at hand; an instance belongs to one thread. */
    private final double[] terms;

    private final double largest;

    /** {@code counts} null: every value counts once. */
    DistanceError(double[] values, double[] counts, double power, int bits, boolean signed) {
        this.values = blocks(values);
        this.counts = counts == null ? null : blocks(counts);
        this.totalCount = counts == null ? values.length : Arrays.stream(counts).sum();
        this.power = power;
        this.bits = bits;
        this.signed = signed;
        this.largest = Arrays.stream(values).map(Math::abs).max().orElse(0);
        this.terms = new double[Math.min(TERMS, values.length)];
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
        double even = 0;
        double odd = 0;
        for (double[] block : values) {
            squaredDistances(block, step, lowest, highest);
            int i = 0;
            // Two sums, or the additions' latency would dominate.
            for (; i + 1 < block.length; i += 2) {
                even += terms[i];
                odd += terms[i + 1];
            }
            if (i < block.length) {
                even += terms[i];
            }
        }
        return even + odd;
    }

    private double weightedSquares(double step, double lowest, double highest) {
        double sum = 0;
        for (int b = 0; b < values.length; b++) {
            squaredDistances(values[b], step, lowest, highest);
            for (int i = 0; i < values[b].length; i++) {
                sum += counts[b][i] * terms[i];
            }
        }
        return sum;
    }

    /**
     * Fills {@link #terms}. The compiler makes vector instructions of additions, products and absolute values, but of no
     * limits or roundings. So both are sums: x + R - R rounds a moderate x half to even, and
     * (|q - a| - |q - b| + a + b) / 2 limits q to [a, b], without error for whole numbers.
     */
    private void squaredDistances(double[] block, double step, double lowest, double highest) {
        double inverse = 1 / step;
        double[] out = terms;
        if (!(largest * inverse < LARGEST_ROUNDED)) {
            for (int i = 0; i < block.length; i++) {
                double difference = block[i] - step * Math.rint(clip(block[i] * inverse, lowest, highest));
                out[i] = difference * difference;
            }
            return;
        }
        double ends = lowest + highest;
        for (int i = 0; i < block.length; i++) {
            double rounded = block[i] * inverse + ROUNDER - ROUNDER;
            double level = 0.5 * (Math.abs(rounded - lowest) - Math.abs(rounded - highest) + ends);
            double difference = block[i] - step * level;
            out[i] = difference * difference;
        }
    }

    private double powers(double step, double lowest, double highest) {
        double inverse = 1 / step;
        double sum = 0;
        for (int b = 0; b < values.length; b++) {
            double[] block = values[b];
            for (int i = 0; i < block.length; i++) {
                double difference = Math.abs(block[i] - step * Math.rint(clip(block[i] * inverse, lowest, highest)));
                double term = power == 1 ? difference : StrictMath.pow(difference, power);
                sum += counts == null ? term : counts[b][i] * term;
            }
        }
        return sum;
    }

    private static double[][] blocks(double[] values) {
        double[][] blocks = new double[(values.length + TERMS - 1) / TERMS][];
        for (int b = 0; b < blocks.length; b++) {
            blocks[b] = Arrays.copyOfRange(values, b * TERMS, Math.min(values.length, (b + 1) * TERMS));
        }
        return blocks;
    }

    private static double clip(double value, double lowest, double highest) {
        return Math.max(lowest, Math.min(highest, value));
    }
}
