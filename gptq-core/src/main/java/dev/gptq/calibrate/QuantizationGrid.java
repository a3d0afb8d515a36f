package dev.gptq.calibrate;

import java.io.Serializable;

/**
 * The grid of representable values: real = scale * (q - zeroPoint) for integers q in [minimum, maximum]. Symmetric and
 * power-of-two grids have zero point 0. One scale and zero point per channel, or one for the whole tensor.
 *
 * @param channelAxis the axis the scales run along, or -1 for one scale
 */
public record QuantizationGrid(int channelAxis, float[] scale, int[] zeroPoint, int minimum, int maximum)
        implements Serializable {
    /** The smallest threshold, and the smallest width of a uniform range: keeps the grid of an all-zero tensor valid. */
    public static final double MIN_THRESHOLD = 1.0 / (1 << 16);

    /**
     * Rounds to the nearest integers of the grid, ties to even, as QuantizeLinear does: clip(round(x / scale) +
     * zeroPoint, minimum, maximum) in float32.
     *
     * @param values row-major
     * @param shape of {@code values}; needed for its channel axis
     */
    public int[] quantize(float[] values, long[] shape) {
        int inner = innerSize(shape);
        int[] integers = new int[values.length];
        for (int start = 0, block = 0; start < values.length; start += inner, block++) {
            int channel = block % scale.length;
            for (int i = start; i < start + inner; i++) {
                double rounded = Math.rint(values[i] / scale[channel]) + zeroPoint[channel];
                integers[i] = (int) Math.max(minimum, Math.min(maximum, rounded));
            }
        }
        return integers;
    }

    /** The real values of integers: scale * (q - zeroPoint) in float32. */
    public float[] dequantize(int[] integers, long[] shape) {
        int inner = innerSize(shape);
        float[] values = new float[integers.length];
        for (int start = 0, block = 0; start < values.length; start += inner, block++) {
            int channel = block % scale.length;
            for (int i = start; i < start + inner; i++) {
                values[i] = scale[channel] * (integers[i] - zeroPoint[channel]);
            }
        }
        return values;
    }

    /** A grid of step t / 2^(bits - sign) around zero for thresholds t (MCT, quantize_tensor). */
    static QuantizationGrid symmetric(double[] thresholds, int bits, boolean signed, int channelAxis) {
        int positiveLevels = 1 << (signed ? bits - 1 : bits);
        float[] scale = new float[thresholds.length];
        for (int channel = 0; channel < scale.length; channel++) {
            scale[channel] = (float) (Math.max(thresholds[channel], MIN_THRESHOLD) / positiveLevels);
        }
        return new QuantizationGrid(
                channelAxis, scale, new int[scale.length], signed ? -positiveLevels : 0, positiveLevels - 1);
    }

    /** A grid over ranges [a, b], each moved so that zero is on the grid (MCT, fix_range_to_include_zero). */
    static QuantizationGrid uniform(double[] rangeMin, double[] rangeMax, int bits, int channelAxis) {
        float[] scale = new float[rangeMin.length];
        int[] zeroPoint = new int[rangeMin.length];
        for (int channel = 0; channel < scale.length; channel++) {
            UniformRange range = UniformRange.includingZero(rangeMin[channel], rangeMax[channel], bits);
            scale[channel] = (float) range.step();
            zeroPoint[channel] = range.zeroPoint();
        }
        return new QuantizationGrid(channelAxis, scale, zeroPoint, 0, (1 << bits) - 1);
    }

    /** Number of consecutive row-major elements that share a scale. */
    private int innerSize(long[] shape) {
        long inner = 1;
        for (int axis = channelAxis + 1; axis < shape.length; axis++) {
            inner *= shape[axis];
        }
        return (int) inner;
    }
}
