package dev.gptq.train;

import ai.djl.ndarray.NDArray;

/** Parts that losses share. */
final class LossTerms {
    private LossTerms() {}

    /** Sum of squares of an array without gradient. */
    static double sumOfSquares(NDArray array) {
        try (NDArray square = array.square();
                NDArray flat = square.flatten();
                NDArray sum = flat.sum()) {
            return sum.getFloat();
        }
    }
}
