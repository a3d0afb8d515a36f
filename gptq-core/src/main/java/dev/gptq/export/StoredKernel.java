package dev.gptq.export;

import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.graph.ElementType;

/**
 * A kernel's integers as int8, or int4 where they fit and that is wanted, with one zero point for all channels. ONNX Runtime's
 * integer convolution takes one scale per channel but fails at run time when zero points differ between channels, so each
 * channel is shifted by its own zero point, which changes no real value. Symmetric grids keep their integers; uniform grids of
 * up to 7 bits end at zero point 0.
 *
 * @param type INT8 or INT4
 * @param values the integers, or null when no common zero point brings all of them into int8 (uniform grids of 8 bits
 *     whose ranges differ much between channels)
 */
record StoredKernel(ElementType type, byte[] values, int zeroPoint) {
    private static final int NIBBLE_MINIMUM = -8;
    private static final int NIBBLE_MAXIMUM = 7;

    /** The integers of a layer, which are 0 to 255, from -128. */
    static byte[] fromLowest(QuantizedLayer layer) {
        int[] values = layer.values();
        byte[] stored = new byte[values.length];
        for (int i = 0; i < stored.length; i++) {
            stored[i] = (byte) (values[i] + Byte.MIN_VALUE);
        }
        return stored;
    }

    /** @param nibbles whether INT4 may be used */
    static StoredKernel of(QuantizedLayer layer, long[] shape, boolean nibbles) {
        QuantizationGrid grid = layer.grid();
        int channels = grid.scale().length;
        int inner = 1;
        for (int axis = grid.channelAxis() + 1; axis < shape.length; axis++) {
            inner *= (int) shape[axis];
        }
        int[] values = layer.values();
        int smallest = 0;
        int largest = 0;
        for (int i = 0; i < values.length; i++) {
            int shifted = values[i] - grid.zeroPoint()[channels == 1 ? 0 : i / inner % channels];
            smallest = Math.min(smallest, shifted);
            largest = Math.max(largest, shifted);
        }
        if (largest - smallest > Byte.MAX_VALUE - Byte.MIN_VALUE) {
            return new StoredKernel(ElementType.INT8, null, 0);
        }
        boolean narrow = nibbles && largest - smallest <= NIBBLE_MAXIMUM - NIBBLE_MINIMUM;
        int lowest = narrow ? NIBBLE_MINIMUM : Byte.MIN_VALUE;
        int highest = narrow ? NIBBLE_MAXIMUM : Byte.MAX_VALUE;
        int zeroPoint = Math.max(lowest - smallest, Math.min(0, highest - largest));
        byte[] stored = new byte[values.length];
        for (int i = 0; i < stored.length; i++) {
            stored[i] = (byte) (values[i] - grid.zeroPoint()[channels == 1 ? 0 : i / inner % channels] + zeroPoint);
        }
        return new StoredKernel(narrow ? ElementType.INT4 : ElementType.INT8, stored, zeroPoint);
    }
}
