package dev.gptq.engine;

import ai.djl.ndarray.NDArray;

/** Sees every graph input and every node output as it is produced, and may put another array in its place. */
@FunctionalInterface
public interface TensorHook {
    /** Leaves every tensor as it is. */
    TensorHook NONE = (tensor, value) -> value;

    /** Returns what consumers of {@code tensor} read. */
    NDArray onTensor(String tensor, NDArray value);
}
