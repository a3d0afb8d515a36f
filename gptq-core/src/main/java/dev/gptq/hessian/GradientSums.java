package dev.gptq.hessian;

import ai.djl.ndarray.NDArray;
import java.util.List;

/** Sums of squares that follow from the gradients of some arrays, pass by pass. */
public interface GradientSums {
    /** The arrays whose gradients are wanted: leaves, or parts of the outputs' history. */
    List<NDArray> inputs();

    /** Adds what one pass's gradients give, one array per input. */
    void add(List<NDArray> gradients);

    /** For each compare point or the like the mean over its sums, after {@code passes} passes. */
    double[] meanByPoint(int passes);
}
