package dev.gptq.graph.batch;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.engine.TensorHook;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Some nodes of a graph, run by themselves once or several times. */
final class NodeRun implements AutoCloseable {
    private final GraphExecutor executor;
    private final List<ValueInfo> outputs;

    /**
     * @param graph whose constants the nodes read
     * @param inputs one set of what else they read
     */
    NodeRun(Graph graph, List<Node> nodes, Map<String, TensorData> inputs, List<ValueInfo> outputs) {
        Map<String, TensorData> constants = new LinkedHashMap<>();
        for (Node node : nodes) {
            for (String input : node.inputs()) {
                if (graph.isConstant(input)) {
                    constants.put(input, graph.constants().get(input));
                }
            }
        }
        List<ValueInfo> declared = new ArrayList<>();
        inputs.forEach((name, value) -> {
            long[] open = value.shape();
            Arrays.fill(open, -1);
            declared.add(new ValueInfo(name, value.type(), open));
        });
        this.outputs = outputs;
        this.executor = new GraphExecutor(
                new Graph(graph.name(), graph.opset(), declared, outputs, constants, nodes), Device.cpu());
    }

    static Map<String, TensorData> of(
            Graph graph, List<Node> nodes, Map<String, TensorData> inputs, List<ValueInfo> outputs) {
        try (NodeRun run = new NodeRun(graph, nodes, inputs, outputs)) {
            return run.run(inputs);
        }
    }

    /** The outputs by name. */
    Map<String, TensorData> run(Map<String, TensorData> inputs) {
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            Map<String, NDArray> feeds = Engines.toArrays(scope, inputs);
            Map<String, NDArray> values = executor.run(scope, feeds, TensorHook.NONE, Set.of());
            Map<String, TensorData> results = new LinkedHashMap<>();
            for (ValueInfo output : outputs) {
                ElementType type = output.type();
                NDArray value = values.get(output.name());
                results.put(output.name(), type == null ? Engines.toTensor(value) : Engines.toTensor(value, type));
            }
            return results;
        }
    }

    @Override
    public void close() {
        executor.close();
    }
}
