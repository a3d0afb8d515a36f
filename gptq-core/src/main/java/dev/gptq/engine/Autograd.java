package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import java.util.ArrayList;
import java.util.List;

/**
 * Automatic differentiation, usable from several threads at once and over a graph as often as wanted: DJL's public
 * GradientCollector allows one per JVM and frees the graph after one backward pass.
 */
public final class Autograd {
    private Autograd() {}

    /** Records operations of this thread until closed; the thread's former mode comes back then. */
    public static Recording record() {
        return switchTo(true);
    }

    /** Whether this thread records. */
    static boolean isRecording() {
        return PyTorchCalls.isRecording();
    }

    /** Stops recording on this thread until closed. */
    public static Recording pause() {
        return switchTo(false);
    }

    /** Makes {@code array} a leaf that collects its gradient. Returns the array. */
    public static NDArray leaf(NDArray array) {
        array.setRequiresGradient(true);
        return array;
    }

    /** Adds the gradients of sum(output * outputGradient) to every leaf; {@code outputGradient} null means ones. */
    public static void backward(NDArray output, NDArray outputGradient, boolean keepGraph) {
        if (outputGradient == null) {
            try (NDArray ones = output.onesLike()) {
                backward(output, ones, keepGraph);
            }
            return;
        }
        PyTorchCalls.backward(output, outputGradient, keepGraph);
    }

    /**
     * The gradient a leaf has collected (zeros when it had no part), without history. It shares memory with the leaf's
     * collector: the next {@link #backward} may change it, so read or copy it before.
     */
    public static NDArray gradient(NDArray leaf) {
        NDArray gradient = PyTorchCalls.gradient(leaf);
        return gradient == null ? leaf.zerosLike() : gradient;
    }

    /**
     * The gradients of sum(output * direction) over all outputs with respect to {@code inputs}: leaves, or any arrays in
     * the outputs' history. No leaf collects anything. A gradient may share memory with a direction.
     *
     * @param directions one for each output, of its shape
     * @param keepGraph whether the outputs will be differentiated again
     * @return one array per input that the caller closes; zeros for an input that has no part in any output
     */
    public static NDList gradients(
            List<NDArray> outputs, List<NDArray> directions, List<NDArray> inputs, boolean keepGraph) {
        List<NDArray> arrays = new ArrayList<>(outputs);
        arrays.addAll(directions);
        arrays.addAll(inputs);
        TorchScript script = keepGraph ? Scripts.GRADIENTS_KEEPING_GRAPH : Scripts.GRADIENTS;
        try (NDArray count = outputs.get(0).getManager().create((long) outputs.size())) {
            return script.call(arrays, count);
        }
    }

    /** The value in another type, with its history from one real type to another; the array itself when it has the type. */
    public static NDArray toType(NDArray array, DataType type) {
        DataType given = array.getDataType();
        boolean keepsHistory = given != type && given.isFloating() && type.isFloating() && isRecording();
        if (!keepsHistory) {
            return array.toType(type, false);
        }
        // DJL's own conversion drops it.
        return (type == DataType.FLOAT64 ? Scripts.TO_FLOAT64 : Scripts.TO_FLOAT32)
                .call(array)
                .get(0);
    }

    /** The value without its history. */
    public static NDArray detach(NDArray array) {
        return PyTorchCalls.detach(array);
    }

    private static Recording switchTo(boolean mode) {
        boolean former = PyTorchCalls.isRecording();
        PyTorchCalls.setRecording(mode);
        return () -> PyTorchCalls.setRecording(former);
    }

    /** A mode of the current thread that ends when closed. */
    public interface Recording extends AutoCloseable {
        @Override
        void close();
    }
}
