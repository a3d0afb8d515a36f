package dev.gptq.graph.batch;

import dev.gptq.graph.BroadcastingOperators;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.Arrays;

/**
 * Constants that hold the same for each sample of the batch, as exporters write positions and masks of a fixed batch: one that
 * is combined with samples entry by entry needs a single row, which ONNX broadcasts.
 */
final class RepeatedRows {
    /** Dimensions of a matrix, which MatMul does not broadcast. */
    private static final int MATRIX = 2;

    private RepeatedRows() {}

    /** The dimension of a constant that meets the samples' dimension in a node that broadcasts; -1 when none does. */
    static int axis(Node node, TensorData constant, Tried samples) {
        int axis = samples.axis() - samples.part().rank() + constant.rank();
        boolean broadcast =
                BroadcastingOperators.broadcasts(node) || node.is("MatMul") && axis < constant.rank() - MATRIX;
        return broadcast && axis >= 0 ? axis : -1;
    }

    /**
     * One row of a constant whose rows along {@code axis} are equal.
     *
     * @return the constant with one entry there; null for rows that differ, or other than {@code count}
     */
    static TensorData single(TensorData constant, int axis, long count) {
        long[] shape = constant.shape();
        if (count < 2 || axis >= shape.length || shape[axis] != count) {
            return null;
        }
        int outer = Math.toIntExact(TensorData.elementCount(Arrays.copyOf(shape, axis)));
        shape[axis] = 1;
        int size = Math.toIntExact(TensorData.elementCount(shape));
        int row = size / Math.max(outer, 1);
        // Of the element at each place of the single row, where it lies first in the constant.
        int[] first = new int[size];
        Arrays.setAll(first, i -> i / row * row * (int) count + i % row);
        int repeats = (int) count;
        switch (constant.type()) {
            case FLOAT32 -> {
                float[] values = constant.floats();
                float[] single = new float[size];
                for (int i = 0; i < size; i++) {
                    single[i] = values[first[i]];
                }
                boolean equal = equal(first, row, repeats, (i, k) -> Float.compare(values[i], values[k]) == 0);
                return equal ? TensorData.ofFloats(single, shape) : null;
            }
            case FLOAT64 -> {
                double[] values = constant.doubles();
                double[] single =
                        Arrays.stream(first).mapToDouble(i -> values[i]).toArray();
                boolean equal = equal(first, row, repeats, (i, k) -> Double.compare(values[i], values[k]) == 0);
                return equal ? TensorData.ofDoubles(single, shape) : null;
            }
            default -> {
                long[] values = constant.longs();
                long[] single = Arrays.stream(first).mapToLong(i -> values[i]).toArray();
                boolean equal = equal(first, row, repeats, (i, k) -> values[i] == values[k]);
                return equal ? TensorData.ofLongs(constant.type(), single, shape) : null;
            }
        }
    }

    private static boolean equal(int[] first, int row, int repeats, Comparison elements) {
        for (int place : first) {
            for (int k = 1; k < repeats; k++) {
                if (!elements.equal(place, place + k * row)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Of two elements by their places. */
    private interface Comparison {
        boolean equal(int first, int second);
    }
}
