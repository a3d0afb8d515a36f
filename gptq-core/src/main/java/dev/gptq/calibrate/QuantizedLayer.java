package dev.gptq.calibrate;

import dev.gptq.graph.ComparePoint;
import java.io.Serializable;

/**
 * A layer after rounding: what the exporter writes and the quantized student runs.
 *
 * @param grid the final grid of the kernel (learned scales included)
 * @param values the kernel's integers, row-major in the kernel's shape, each in [grid.minimum, grid.maximum]
 * @param bias the float bias before it is rounded to int32, or null without bias
 */
public record QuantizedLayer(ComparePoint point, QuantizationGrid grid, int[] values, float[] bias)
        implements Serializable {}
