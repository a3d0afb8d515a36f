package dev.gptq.calibrate;

import java.io.Serializable;

/**
 * The grid of representable values: real = scale * (q - zeroPoint) for integers q in [minimum, maximum]. Symmetric and
 * power-of-two grids have zero point 0. One scale and zero point per channel, or one for the whole tensor.
 *
 * @param channelAxis the axis the scales run along, or -1 for one scale
 */
public record QuantizationGrid(int channelAxis, float[] scale, int[] zeroPoint, int minimum, int maximum)
        implements Serializable {}
