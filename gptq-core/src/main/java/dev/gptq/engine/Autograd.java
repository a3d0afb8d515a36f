package dev.gptq.engine;

import ai.djl.ndarray.NDArray;

/**
 * Automatic differentiation, usable from several threads at once. The only place that touches the engine's JNI classes:
 * DJL's public GradientCollector allows one per JVM and frees the graph after one backward pass.
 */
public final class Autograd {
    private Autograd() {}

    /** Records operations of this thread until closed; the thread's former mode comes back then. */
    public static Recording record() {
        throw new UnsupportedOperationException();
    }

    /** Stops recording on this thread until closed. */
    public static Recording pause() {
        throw new UnsupportedOperationException();
    }

    /** Makes {@code array} a leaf that collects its gradient. Returns the array. */
    public static NDArray leaf(NDArray array) {
        throw new UnsupportedOperationException();
    }

    /** Adds the gradients of sum(output * outputGradient) to every leaf; {@code outputGradient} null means ones. */
    public static void backward(NDArray output, NDArray outputGradient, boolean keepGraph) {
        throw new UnsupportedOperationException();
    }

    /** The gradient a leaf has collected (zeros when it had no part); detached. */
    public static NDArray gradient(NDArray leaf) {
        throw new UnsupportedOperationException();
    }

    /** Sets a leaf's collected gradient to zero. */
    public static void clearGradient(NDArray leaf) {
        throw new UnsupportedOperationException();
    }

    /** The value without its history. */
    public static NDArray detach(NDArray array) {
        throw new UnsupportedOperationException();
    }

    /** A mode of the current thread that ends when closed. */
    public interface Recording extends AutoCloseable {
        @Override
        void close();
    }
}
