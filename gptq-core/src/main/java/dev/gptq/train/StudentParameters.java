package dev.gptq.train;

import java.io.Serializable;

/**
 * What lanes need to run the student in one step: soft-quantized kernels and biases, concatenated in compare-point order
 * (all kernels, then all biases), and the quantized fraction of activations.
 */
public record StudentParameters(int step, float[] values, double quantizedFraction) implements Serializable {}
