package dev.gptq.graph.pass;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.ElementTypes;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Replaces nodes that read constants only, and Shape nodes of inputs without dynamic dimensions, by their result. */
final class ConstantFolding {
    private static final long MAX_ELEMENTS = 1L << 28;

    private ConstantFolding() {}

    static Graph apply(Graph graph) {
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        Set<String> constantNames = new HashSet<>(constants.keySet());
        List<Node> remaining = new ArrayList<>();
        List<Node> folded = new ArrayList<>();
        for (Node node : graph.nodes()) {
            TensorData shape = staticShape(graph, node);
            if (node.outputs().stream().anyMatch(graph::isOutput)) {
                remaining.add(node);
            } else if (shape != null) {
                constants.put(node.output(), shape);
                constantNames.add(node.output());
            } else if (readsOnly(node, constantNames)) {
                folded.add(node);
                constantNames.addAll(node.outputs());
            } else {
                remaining.add(node);
            }
        }
        if (!folded.isEmpty()) {
            constants.putAll(evaluate(graph, constants, folded));
        }
        return graph.withConstants(constants).withNodes(remaining);
    }

    private static boolean readsOnly(Node node, Set<String> constants) {
        return node.inputs().stream().allMatch(input -> input.isEmpty() || constants.contains(input));
    }

    private static TensorData staticShape(Graph graph, Node node) {
        if (!node.is("Shape") || !node.attributes().isEmpty()) {
            return null;
        }
        for (ValueInfo input : graph.inputs()) {
            if (input.name().equals(node.input(0))
                    && Arrays.stream(input.shape()).allMatch(dimension -> dimension > 0)) {
                return TensorData.ofLongs(ElementType.INT64, input.shape().clone(), input.shape().length);
            }
        }
        return null;
    }

    private static Map<String, TensorData> evaluate(Graph graph, Map<String, TensorData> constants, List<Node> nodes) {
        Map<String, TensorData> needed = new LinkedHashMap<>();
        List<ValueInfo> outputs = new ArrayList<>();
        for (Node node : nodes) {
            for (String input : node.inputs()) {
                if (constants.containsKey(input)) {
                    needed.put(input, constants.get(input));
                }
            }
            for (String output : node.outputs()) {
                if (!output.isEmpty()) {
                    outputs.add(new ValueInfo(output, ElementType.FLOAT32, null));
                }
            }
        }
        Graph constantGraph = new Graph(graph.name(), graph.opset(), List.of(), outputs, needed, nodes);
        Map<String, TensorData> results = new LinkedHashMap<>();
        try (GraphExecutor executor = new GraphExecutor(constantGraph, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            Map<String, NDArray> values = executor.run(scope, Map.of(), new ConstantsLimit(graph.name(), MAX_ELEMENTS));
            Map<String, ElementType> types = ElementTypes.of(constantGraph);
            values.forEach((name, value) -> {
                boolean carried = types.containsKey(name) && types.get(name).isCarried();
                results.put(name, carried ? Engines.toTensor(value, types.get(name)) : Engines.toTensor(value));
            });
        }
        return results;
    }
}
