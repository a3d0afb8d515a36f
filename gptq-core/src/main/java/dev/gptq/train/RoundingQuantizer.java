package dev.gptq.train;

import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.WeightQuantizer;

/**
 * Turns one kernel's rounding variables into the kernel that the student runs, and back. Every element of the kernel has
 * one variable, and the arrays passed in hold those of all layers: this layer's begin at {@code offset} in each of them.
 */
abstract class RoundingQuantizer {
    final WeightQuantizer quantizer;
    final QuantizationGrid grid;
    final int offset;
    final int size;
    /** Elements with equal channel are {@code inner} apart in runs: index = (outer * channels + channel) * inner + i. */
    final int channels;

    final int inner;

    RoundingQuantizer(WeightQuantizer quantizer, long[] shape, int offset) {
        this.quantizer = quantizer;
        this.grid = quantizer.grid();
        this.offset = offset;
        int axis = grid.channelAxis();
        int elements = 1;
        int after = 1;
        for (int d = 0; d < shape.length; d++) {
            elements *= (int) shape[d];
            after *= d > axis ? (int) shape[d] : 1;
        }
        this.size = elements;
        this.channels = axis < 0 ? 1 : (int) shape[axis];
        this.inner = axis < 0 ? elements : after;
    }

    /** Number of quantization parameters that this layer learns where they are learned. */
    int learnedCount() {
        return 0;
    }

    /** Sets them, at {@code learnedOffset}, to what the plan says. */
    void initializeLearned(float[] learned, int learnedOffset) {}

    /** Sets the variables so that the soft kernel equals the float kernel where the grid reaches it. */
    abstract void initialize(float[] variables);

    /**
     * Computes the kernel and remembers what {@link #backward} needs.
     *
     * @param scales learned factors of the steps, this layer's at {@code scaleOffset}; null when not learned
     */
    abstract void forward(float[] variables, float[] scales, int scaleOffset, float[] kernels);

    /** Chain rule: gradient with respect to the kernel -> gradients with respect to variables and learned factors. */
    abstract void backward(
            float[] kernelGradient, float[] scales, int scaleOffset, float[] variableGradient, float[] scaleGradient);

    /** Moves the variables to where {@link #forward} gives the kernel after hard rounding. */
    void harden(float[] variables) {}

    /** The integers after hard rounding, in [grid.minimum, grid.maximum]. */
    abstract int[] integers(float[] variables);

    /** The integers on the grid of learned parameters; {@code learned} is null when none are learned. */
    int[] integers(float[] variables, float[] learned, int learnedOffset) {
        return integers(variables);
    }

    /** The grid with learned factors applied. */
    QuantizationGrid grid(float[] scales, int scaleOffset) {
        if (scales == null) {
            return grid;
        }
        float[] scale = grid.scale().clone();
        for (int c = 0; c < scale.length; c++) {
            scale[c] *= LearnedScale.value(scales[scaleOffset + c]);
        }
        return new QuantizationGrid(grid.channelAxis(), scale, grid.zeroPoint(), grid.minimum(), grid.maximum());
    }
}
