package dev.gptq.train;

import ai.djl.ndarray.NDArray;

/** Parts that losses share. Sums of squares go through the norm: one pass over the values, and one in the backward pass. */
final class LossTerms {
    private LossTerms() {}

    /** Sum of squares of an array without gradient. */
    static double energy(NDArray array) {
        try (NDArray norm = array.norm()) {
            double length = norm.getFloat();
            return length * length;
        }
    }
}
