package dev.gptq.engine;

import ai.djl.ndarray.types.Shape;
import java.util.Arrays;

/** The shape that tensors are stretched to when an operator takes them together. */
final class Broadcasting {
    private Broadcasting() {}

    /** Aligns shapes at their last dimensions; dimensions of 1 take the size of the others. */
    static Shape shapeOf(long[]... shapes) {
        int rank = Arrays.stream(shapes).mapToInt(shape -> shape.length).max().orElse(0);
        long[] result = Window.filled(rank, 1);
        for (long[] shape : shapes) {
            int offset = rank - shape.length;
            for (int i = 0; i < shape.length; i++) {
                if (shape[i] != 1 && result[offset + i] != 1 && shape[i] != result[offset + i]) {
                    throw new IllegalArgumentException(
                            "shapes " + Arrays.deepToString(shapes) + " do not fit each other");
                }
                result[offset + i] = shape[i] != 1 ? shape[i] : result[offset + i];
            }
        }
        return new Shape(result);
    }
}
