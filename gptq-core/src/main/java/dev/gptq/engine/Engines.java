package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.graph.TensorData;

/** Opens native memory scopes and moves tensors between the Java heap and the engine. */
public final class Engines {
    private Engines() {}

    /** A new top-level scope on {@code device}; closing it frees every array created in it. Sets intra-op threads to one. */
    public static NDManager newScope(Device device) {
        throw new UnsupportedOperationException();
    }

    /** Copies a tensor to the engine. */
    public static NDArray toArray(NDManager manager, TensorData tensor) {
        throw new UnsupportedOperationException();
    }

    /** Copies an array (float32 or an integer type) to the heap. */
    public static TensorData toTensor(NDArray array) {
        throw new UnsupportedOperationException();
    }
}
