package dev.gptq.train;

import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.WeightQuantizer;

/**
 * Soft rounding on uniform grids whose ranges [a, b] are learned (MCT uniform_soft_quantizer, quantization_parameter_learning).
 * Zero is put on the grid anew in each step, q = step * clip(floor((w - a') / step) + h) + a'. Learned are all a, then all b,
 * by channel.
 *
 * <p>Gradients pass the floor and the clip of q, and end at the rounding of a / step, as in MCT's torch code. So a' drops
 * out, and what is left is dq / dstep = n - (w - a') / step with n the clipped integer, times dstep / db = -dstep / da =
 * 1 / (2^bits - 1); an end of the range that zero replaced has no gradient.
 */
final class LearnedRangeQuantizer extends SoftRoundingQuantizer {
    private final float[] kernel;
    /** n - (w - a') / step of the last forward pass, by element. */
    private final float[] stepGradient;

    LearnedRangeQuantizer(WeightQuantizer quantizer, float[] kernel, long[] shape, int offset, boolean onGrid) {
        super(quantizer, kernel, shape, offset, onGrid);
        this.kernel = kernel;
        this.stepGradient = new float[size];
    }

    @Override
    int learnedCount() {
        return 2 * channels;
    }

    @Override
    void initializeLearned(float[] learned, int learnedOffset) {
        for (int c = 0; c < channels; c++) {
            learned[learnedOffset + c] = (float) quantizer.rangeMin()[c];
            learned[learnedOffset + channels + c] = (float) quantizer.rangeMax()[c];
        }
    }

    @Override
    void forward(float[] variables, float[] learned, int learnedOffset, float[] kernels) {
        QuantizationGrid current = grid(learned, learnedOffset);
        float[] target = target();
        for (int start = 0, channel = 0; start < size; start += inner, channel = (channel + 1) % channels) {
            float step = current.scale()[channel];
            float zeroPoint = current.zeroPoint()[channel];
            for (int i = start; i < start + inner; i++) {
                round(i, variables[offset + i]);
                float position = (kernel[i] + zeroPoint * step) / step;
                float integer = Math.max(0, Math.min(grid.maximum(), (float) Math.floor(position) + target[i]));
                stepGradient[i] = integer - position;
                kernels[offset + i] = step * (integer - zeroPoint);
            }
        }
    }

    @Override
    void backward(
            float[] kernelGradient,
            float[] learned,
            int learnedOffset,
            float[] variableGradient,
            float[] learnedGradient) {
        QuantizationGrid current = grid(learned, learnedOffset);
        double[] sums = new double[channels];
        for (int start = 0, channel = 0; start < size; start += inner, channel = (channel + 1) % channels) {
            float step = current.scale()[channel];
            for (int i = start; i < start + inner; i++) {
                float gradient = kernelGradient[offset + i];
                variableGradient[offset + i] = gradient * step * slope()[i];
                sums[channel] += (double) gradient * stepGradient[i];
            }
        }
        for (int c = 0; c < channels; c++) {
            float gradient = (float) (sums[c] / grid.maximum());
            if (learned[learnedOffset + c] <= 0) {
                learnedGradient[learnedOffset + c] -= gradient;
            }
            if (learned[learnedOffset + channels + c] >= 0) {
                learnedGradient[learnedOffset + channels + c] += gradient;
            }
        }
    }

    @Override
    int[] integers(float[] variables, float[] learned, int learnedOffset) {
        QuantizationGrid current = grid(learned, learnedOffset);
        int[] integers = new int[size];
        for (int start = 0, channel = 0; start < size; start += inner, channel = (channel + 1) % channels) {
            float step = current.scale()[channel];
            float zeroPoint = current.zeroPoint()[channel];
            for (int i = start; i < start + inner; i++) {
                int floor = (int) Math.floor((kernel[i] + zeroPoint * step) / step);
                integers[i] = Math.max(0, Math.min(grid.maximum(), floor + up(variables[offset + i])));
            }
        }
        return integers;
    }

    @Override
    QuantizationGrid grid(float[] learned, int learnedOffset) {
        double[] min = new double[channels];
        double[] max = new double[channels];
        for (int c = 0; c < channels; c++) {
            min[c] = learned[learnedOffset + c];
            max[c] = learned[learnedOffset + channels + c];
        }
        return new WeightQuantizer(
                        quantizer.point(),
                        quantizer.method(),
                        quantizer.bits(),
                        quantizer.channelAxis(),
                        null,
                        min,
                        max,
                        null)
                .grid();
    }
}
