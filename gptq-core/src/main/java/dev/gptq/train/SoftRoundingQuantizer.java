package dev.gptq.train;

import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.QuantizationMethod;
import java.util.Arrays;

/**
 * Soft rounding (MCT, soft_rounding): q = step * (clip(floor(w / step) + h(alpha)) - zero point) with the rectified sigmoid
 * h(alpha) = clip(1.2 * sigmoid(alpha) - 0.1, 0, 1). The gradient passes the outer clip and stops at h's own clip.
 */
class SoftRoundingQuantizer extends RoundingQuantizer {
    private static final float HALF = 0.5f;

    private final float[] kernel;
    private final float[] floor;
    private final float[] target;
    private final float[] slope;
    private final boolean onGrid;

    /** Starts by the thresholds as given. */
    SoftRoundingQuantizer(WeightQuantizer quantizer, float[] kernel, long[] shape, int offset) {
        this(quantizer, kernel, shape, offset, false);
    }

    /**
     * @param kernel what is rounded
     * @param onGrid whether the start is by the grid's own steps, or by the thresholds that they come from
     */
    SoftRoundingQuantizer(WeightQuantizer quantizer, float[] kernel, long[] shape, int offset, boolean onGrid) {
        super(quantizer, shape, offset);
        this.onGrid = onGrid;
        this.kernel = kernel;
        this.floor = new float[size];
        this.target = new float[size];
        this.slope = new float[size];
        for (int start = 0, channel = 0; start < size; start += inner, channel = (channel + 1) % channels) {
            float step = grid.scale()[channel];
            float lowest = -grid.zeroPoint()[channel] * step;
            for (int i = start; i < start + inner; i++) {
                floor[i] = (float) Math.floor((kernel[i] - lowest) / step);
            }
        }
    }

    /** One factor per channel. A power of two would not stay one, so MCT ignores the flag there. */
    @Override
    int learnedCount() {
        return quantizer.method() == QuantizationMethod.SYMMETRIC ? channels : 0;
    }

    @Override
    void initializeLearned(float[] learned, int learnedOffset) {
        Arrays.fill(learned, learnedOffset, learnedOffset + learnedCount(), LearnedScale.INITIAL);
    }

    /** h = fraction of w / step, so the student starts as the (clipped) float model: alpha = -ln(1.2 / (r + 0.1) - 1). */
    @Override
    void initialize(float[] variables) {
        float last = grid.maximum() - grid.minimum();
        for (int start = 0, channel = 0; start < size; start += inner, channel = (channel + 1) % channels) {
            float step = initialStep(channel);
            float lowest = initialLowest(channel);
            // Integers count from the grid's minimum for UNIFORM only; a symmetric grid has its zero at integer zero.
            float first = grid.minimum();
            for (int i = start; i < start + inner; i++) {
                float position = Math.max(first, Math.min(first + last, (kernel[i] - lowest) / step));
                float fraction = position - (float) Math.floor(position);
                variables[offset + i] = RectifiedSigmoid.inverse(fraction);
            }
        }
    }

    @Override
    void forward(float[] variables, float[] scales, int scaleOffset, float[] kernels) {
        float minimum = grid.minimum();
        float maximum = grid.maximum();
        for (int start = 0, channel = 0; start < size; start += inner, channel = (channel + 1) % channels) {
            float step = grid.scale()[channel];
            float factor = scales == null ? 1 : LearnedScale.value(scales[scaleOffset + channel]);
            float zeroPoint = grid.zeroPoint()[channel];
            for (int i = start; i < start + inner; i++) {
                round(i, variables[offset + i]);
                float integer = Math.max(minimum, Math.min(maximum, floor[i] + target[i]));
                kernels[offset + i] = factor * (step * (integer - zeroPoint));
            }
        }
    }

    @Override
    void backward(
            float[] kernelGradient, float[] scales, int scaleOffset, float[] variableGradient, float[] scaleGradient) {
        for (int start = 0, channel = 0; start < size; start += inner, channel = (channel + 1) % channels) {
            float step = grid.scale()[channel];
            float factor = scales == null ? 1 : LearnedScale.value(scales[scaleOffset + channel]);
            float stepFactor = step * factor;
            for (int i = start; i < start + inner; i++) {
                variableGradient[offset + i] = kernelGradient[offset + i] * stepFactor * slope[i];
            }
            if (scales != null) {
                scaleGradient[scaleOffset + channel] += (float) unscaledProduct(kernelGradient, start, step)
                        * LearnedScale.slope(scales[scaleOffset + channel]);
            }
        }
    }

    /** Sum over a run of elements of (kernel without learned factor) * gradient. Learned factors have zero point 0. */
    private double unscaledProduct(float[] kernelGradient, int start, float step) {
        double sum = 0;
        for (int i = start; i < start + inner; i++) {
            float integer = Math.max(grid.minimum(), Math.min(grid.maximum(), floor[i] + target[i]));
            sum += (double) (step * integer) * kernelGradient[offset + i];
        }
        return sum;
    }

    @Override
    int[] integers(float[] variables) {
        int[] integers = new int[size];
        for (int i = 0; i < size; i++) {
            int integer = (int) floor[i] + up(variables[offset + i]);
            integers[i] = Math.max(grid.minimum(), Math.min(grid.maximum(), integer));
        }
        return integers;
    }

    @Override
    void harden(float[] variables) {
        for (int i = offset; i < offset + size; i++) {
            variables[i] = up(variables[i]) == 1 ? RectifiedSigmoid.LIMIT : -RectifiedSigmoid.LIMIT;
        }
    }

    /** Keeps h and its slope for one element. */
    final void round(int index, float variable) {
        float sigmoid = RectifiedSigmoid.sigmoid(variable);
        float stretched = RectifiedSigmoid.stretched(sigmoid);
        target[index] = RectifiedSigmoid.clipped(stretched);
        slope[index] = RectifiedSigmoid.slope(sigmoid, stretched);
    }

    /** 1 where hard rounding goes up, else 0. */
    static int up(float variable) {
        return RectifiedSigmoid.stretched(RectifiedSigmoid.sigmoid(variable)) >= HALF ? 1 : 0;
    }

    /** h of the last {@link #forward}, by element. */
    float[] target() {
        return target;
    }

    /** dh / dalpha of the last {@link #forward}, by element. */
    float[] slope() {
        return slope;
    }

    /** MCT starts from the thresholds as given: before rounding to a power of two, before zero is put on the grid. */
    private float initialStep(int channel) {
        if (onGrid) {
            return grid.scale()[channel];
        }
        if (quantizer.method() == QuantizationMethod.UNIFORM) {
            float range =
                    (float) quantizer.rangeMax()[channel] - (float) quantizer.rangeMin()[channel];
            return (float) Math.max(range, QuantizationGrid.MIN_THRESHOLD) / (grid.maximum() - grid.minimum());
        }
        double threshold = Math.max(quantizer.threshold()[channel], QuantizationGrid.MIN_THRESHOLD);
        return (float) threshold / (1 << (quantizer.bits() - 1));
    }

    private float initialLowest(int channel) {
        if (onGrid) {
            return -grid.zeroPoint()[channel] * grid.scale()[channel];
        }
        return quantizer.method() == QuantizationMethod.UNIFORM
                ? (float) quantizer.rangeMin()[channel]
                : 0;
    }
}
