package dev.gptq.hessian;

import ai.djl.ndarray.NDArray;
import java.util.List;

/** Sums of the squared gradients of some arrays, pass by pass. */
interface GradientSums {
    /** The arrays whose gradients are wanted: leaves, or parts of the outputs' history. */
    List<NDArray> inputs();

    /** Adds the squares of one pass's gradients, one array per input. */
    void add(List<NDArray> gradients);

    /** For each compare point the mean over its sums, after {@code passes} passes. */
    double[] meanByPoint(int passes);
}
