package dev.gptq.train;

import dev.gptq.calibrate.WeightQuantizer;
import java.util.Arrays;

/**
 * Rounding learned by a straight-through estimator (MCT, ste_rounding): the variable shifts the weight by at most {@code lsbs}
 * steps before it is rounded, and the gradient passes rounding and clips unchanged:
 * q = step * clip(round(round(w / step) + clip(aux, -lsbs * step, lsbs * step) / step)). Unlike MCT's torch version, every
 * weight has its own variable.
 */
final class SteRoundingQuantizer extends RoundingQuantizer {
    private final float[] nearest;
    private final int lsbs;

    SteRoundingQuantizer(WeightQuantizer quantizer, float[] kernel, long[] shape, int offset, int lsbs) {
        super(quantizer, shape, offset);
        this.lsbs = lsbs;
        this.nearest = new float[size];
        for (int start = 0, channel = 0; start < size; start += inner, channel = (channel + 1) % channels) {
            float step = grid.scale()[channel];
            for (int i = start; i < start + inner; i++) {
                nearest[i] = (float) Math.rint(kernel[i] / step);
            }
        }
    }

    @Override
    void initialize(float[] variables) {
        Arrays.fill(variables, offset, offset + size, 0);
    }

    @Override
    void forward(float[] variables, float[] scales, int scaleOffset, float[] kernels) {
        for (int start = 0, channel = 0; start < size; start += inner, channel = (channel + 1) % channels) {
            float step = grid.scale()[channel];
            for (int i = start; i < start + inner; i++) {
                kernels[offset + i] = step * integer(i, variables[offset + i], step);
            }
        }
    }

    @Override
    void backward(
            float[] kernelGradient, float[] scales, int scaleOffset, float[] variableGradient, float[] scaleGradient) {
        System.arraycopy(kernelGradient, offset, variableGradient, offset, size);
    }

    @Override
    int[] integers(float[] variables) {
        int[] integers = new int[size];
        for (int start = 0, channel = 0; start < size; start += inner, channel = (channel + 1) % channels) {
            for (int i = start; i < start + inner; i++) {
                integers[i] = (int) integer(i, variables[offset + i], grid.scale()[channel]);
            }
        }
        return integers;
    }

    private float integer(int index, float variable, float step) {
        float limit = lsbs * step;
        float shift = Math.max(-limit, Math.min(limit, variable)) / step;
        float shifted = (float) Math.rint(nearest[index] + shift);
        return Math.max(grid.minimum(), Math.min(grid.maximum(), shifted));
    }
}
