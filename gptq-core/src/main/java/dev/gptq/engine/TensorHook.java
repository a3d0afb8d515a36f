package dev.gptq.engine;

import ai.djl.ndarray.NDArray;

/**
 * Sees every graph input and every node output as it is produced, and may put another array in its place. Constants are
 * not shown.
 *
 * <p>Lifetime: in a run with a set of kept names, arrays of all other tensors (both what the executor made and what a hook
 * put in its place) are closed once nothing in the graph reads them, so a hook holds on to arrays of kept tensors only and
 * answers for the others with arrays made for this call. Feeds and graph outputs are never closed by the executor. Closing
 * an array does not harm a recorded backward pass.
 */
@FunctionalInterface
public interface TensorHook {
    /** Leaves every tensor as it is. */
    TensorHook NONE = (tensor, value) -> value;

    /** Returns what consumers of {@code tensor} read. */
    NDArray onTensor(String tensor, NDArray value);
}
