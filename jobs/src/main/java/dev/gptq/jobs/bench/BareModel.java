package dev.gptq.jobs.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A model as a user of Deep Java Library would write it by hand: the calls of its layers one after the other and nothing
 * else. The floor that stages are compared with.
 */
final class BareModel implements AutoCloseable {
    private final NDManager scope = Engines.newScope(Device.cpu());
    private final Map<String, NDArray> constants = new HashMap<>();
    private final List<Layer> layers = new ArrayList<>();
    private final String input;

    /** One call, from the arrays made so far. */
    private interface Compute {
        NDArray apply(Map<String, NDArray> values);
    }

    private record Layer(String output, Compute compute) {}

    /** {@code trained}: kernels and biases collect their gradients. */
    BareModel(Graph graph, boolean trained) {
        for (Map.Entry<String, TensorData> constant : graph.constants().entrySet()) {
            NDArray array = Engines.toArray(scope, constant.getValue());
            boolean weight = trained
                    && constant.getValue().shape().length > 0
                    && array.getDataType().isFloating();
            constants.put(constant.getKey(), weight ? Autograd.leaf(array) : array);
        }
        this.input = graph.inputs().get(0).name();
        graph.nodes().forEach(node -> layers.add(new Layer(node.output(), compute(node, graph))));
    }

    /** The model's last output; what is made belongs to {@code x}'s manager. */
    NDArray run(NDArray x) {
        return run(x, null);
    }

    /** As {@link #run(NDArray)}; the array of {@code leaf} starts the history and collects its gradient. */
    NDArray run(NDArray x, String leaf) {
        Map<String, NDArray> values = new HashMap<>(constants);
        values.put(input, x);
        NDArray last = x;
        for (Layer layer : layers) {
            last = layer.compute.apply(values);
            last.attach(x.getManager());
            if (layer.output.equals(leaf)) {
                Autograd.leaf(last);
            }
            values.put(layer.output, last);
        }
        return last;
    }

    private static Compute compute(Node node, Graph graph) {
        List<String> from = node.inputs();
        String x = from.get(0);
        switch (node.opType()) {
            case "Conv":
                Shape strides = new Shape(node.integers("strides", new long[] {1, 1}));
                long[] pads = node.integers("pads", new long[] {0, 0, 0, 0});
                Shape padding = new Shape(pads[0], pads[1]);
                Shape dilations = new Shape(node.integers("dilations", new long[] {1, 1}));
                int groups = (int) node.integer("group", 1);
                return values -> values.get(x)
                        .getNDArrayInternal()
                        .convolution(
                                values.get(x),
                                values.get(from.get(1)),
                                from.size() > 2 ? values.get(from.get(2)) : null,
                                strides,
                                padding,
                                dilations,
                                groups)
                        .get(0);
            case "Relu":
                return values -> values.get(x).getNDArrayInternal().relu();
            case "Clip":
                float low = graph.constants().get(from.get(1)).floats()[0];
                float high = graph.constants().get(from.get(2)).floats()[0];
                return values -> values.get(x).clip(low, high);
            case "Add":
                return values -> values.get(x).add(values.get(from.get(1)));
            case "GlobalAveragePool":
                return values -> values.get(x).getNDArrayInternal().globalAvgPool();
            case "Flatten":
                return values -> values.get(x).reshape(values.get(x).getShape().get(0), -1);
            case "Gemm":
                return values -> values.get(x)
                        .getNDArrayInternal()
                        .linear(values.get(x), values.get(from.get(1)), values.get(from.get(2)))
                        .get(0);
            default:
                throw new IllegalArgumentException("The bare model has no " + node.opType() + ".");
        }
    }

    @Override
    public void close() {
        scope.close();
    }
}
