package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.graph.Graph;
import java.util.Map;

/**
 * Runs a graph on DJL's PyTorch engine. Constants are put on the device once, at creation; {@link #run} may be called
 * from several threads at once.
 */
public final class GraphExecutor implements AutoCloseable {
    public GraphExecutor(Graph graph, ai.djl.Device device) {
        throw new UnsupportedOperationException();
    }

    /**
     * Runs the graph once.
     *
     * @param manager owns every array this call creates; the caller closes it
     * @param feeds the graph's inputs by name, and any constants to be replaced for this call
     * @param hook sees each input and node output
     * @return the graph's outputs by name (as the hook left them)
     */
    public Map<String, NDArray> run(NDManager manager, Map<String, NDArray> feeds, TensorHook hook) {
        throw new UnsupportedOperationException();
    }

    /** The device the graph runs on. */
    public ai.djl.Device device() {
        throw new UnsupportedOperationException();
    }

    public Graph graph() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
