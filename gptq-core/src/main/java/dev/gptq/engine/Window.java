package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import dev.gptq.graph.Node;
import java.util.Arrays;

/**
 * The sliding window of a convolution or pooling node over the spatial dimensions, with automatic padding resolved for
 * the input at hand.
 *
 * @param kernel the window's size
 * @param strides its steps
 * @param dilations the distance between its taps
 * @param begins padding before each spatial dimension
 * @param ends padding after it
 */
record Window(long[] kernel, long[] strides, long[] dilations, long[] begins, long[] ends) {
    private static final int SPATIAL_START = 2;

    static Window of(Call call, long[] kernel) {
        Node node = call.node();
        int rank = kernel.length;
        if (call.x().getShape().dimension() != rank + SPATIAL_START) {
            throw call.failure("a kernel of shape " + Arrays.toString(kernel) + " does not fit an input of shape "
                    + Arrays.toString(call.shape(0)));
        }
        long[] strides = node.integers("strides", filled(rank, 1));
        long[] dilations = node.integers("dilations", filled(rank, 1));
        long[] pads = node.integers("pads", new long[2 * rank]);
        long[] begins = Arrays.copyOf(pads, rank);
        long[] ends = Arrays.copyOfRange(pads, rank, 2 * rank);
        String automatic = node.text("auto_pad", "NOTSET");
        if (automatic.startsWith("SAME")) {
            for (int i = 0; i < rank; i++) {
                long size = call.shape(0)[SPATIAL_START + i];
                long output = (size + strides[i] - 1) / strides[i];
                long total = Math.max(0, (output - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - size);
                begins[i] = automatic.equals("SAME_LOWER") ? (total + 1) / 2 : total / 2;
                ends[i] = total - begins[i];
            }
        } else if (automatic.equals("VALID")) {
            Arrays.fill(begins, 0);
            Arrays.fill(ends, 0);
        }
        return new Window(kernel, strides, dilations, begins, ends);
    }

    int rank() {
        return kernel.length;
    }

    boolean symmetric() {
        return Arrays.equals(begins, ends);
    }

    /** Whether the engine's pooling accepts the padding itself: equal at both ends and at most half the window. */
    boolean poolable() {
        if (!symmetric()) {
            return false;
        }
        for (int i = 0; i < rank(); i++) {
            if (begins[i] > kernel[i] / 2) {
                return false;
            }
        }
        return true;
    }

    /** Pads the spatial dimensions of {@code x} by {@link #begins} and {@link #ends}. */
    NDArray pad(NDArray x, double value) {
        return pad(x, begins, ends, value);
    }

    /** Pads (or, where negative, crops) the last dimensions of {@code x}. */
    static NDArray pad(NDArray x, long[] begins, long[] ends, double value) {
        int rank = begins.length;
        int firstAxis = x.getShape().dimension() - rank;
        long[] reversed = new long[2 * rank];
        boolean crops = false;
        for (int i = 0; i < rank; i++) {
            reversed[2 * i] = Math.max(0, begins[rank - 1 - i]);
            reversed[2 * i + 1] = Math.max(0, ends[rank - 1 - i]);
            crops |= begins[i] < 0 || ends[i] < 0;
        }
        NDArray padded = x.pad(new Shape(reversed), value);
        // DJL's shapes, by which padding is given, refuse negative numbers.
        for (int i = 0; crops && i < rank; i++) {
            long size = padded.getShape().get(firstAxis + i);
            long from = Math.max(0, -begins[i]);
            long to = size - Math.max(0, -ends[i]);
            padded = IndexOperators.slice(padded, firstAxis + i, from, to, 1);
        }
        return padded;
    }

    static long[] filled(int length, long value) {
        long[] array = new long[length];
        Arrays.fill(array, value);
        return array;
    }
}
