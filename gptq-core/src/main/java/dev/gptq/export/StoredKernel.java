package dev.gptq.export;

import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizedLayer;

/**
 * A kernel's integers as int8 with one zero point for all channels. ONNX Runtime's integer convolution takes one scale per
 * channel but fails at run time when zero points differ between channels, so each channel is shifted by its own zero point, which
 * changes no real value. Symmetric grids keep their integers; uniform grids of up to 7 bits end at zero point 0.
 *
 * @param values the integers, or null when no common zero point brings all of them into int8 (uniform grids of 8 bits
 *     whose ranges differ much between channels)
 */
record StoredKernel(long[] values, int zeroPoint) {
    static StoredKernel of(QuantizedLayer layer, long[] shape) {
        QuantizationGrid grid = layer.grid();
        int channels = grid.scale().length;
        int inner = 1;
        for (int axis = grid.channelAxis() + 1; axis < shape.length; axis++) {
            inner *= (int) shape[axis];
        }
        long[] shifted = new long[layer.values().length];
        long smallest = 0;
        long largest = 0;
        for (int i = 0; i < shifted.length; i++) {
            int channel = channels == 1 ? 0 : i / inner % channels;
            shifted[i] = layer.values()[i] - grid.zeroPoint()[channel];
            smallest = Math.min(smallest, shifted[i]);
            largest = Math.max(largest, shifted[i]);
        }
        if (largest - smallest > Byte.MAX_VALUE - Byte.MIN_VALUE) {
            return new StoredKernel(null, 0);
        }
        long zeroPoint = Math.max(Byte.MIN_VALUE - smallest, Math.min(0, Byte.MAX_VALUE - largest));
        for (int i = 0; i < shifted.length; i++) {
            shifted[i] += zeroPoint;
        }
        return new StoredKernel(shifted, (int) zeroPoint);
    }
}
