package dev.gptq.graph;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model as data: immutable, nodes in topological order, constants (initializers and Constant nodes alike) by name.
 * Inputs are the true inputs only: an initializer that the file lists among its inputs is a constant here.
 *
 * @param moments by tensor, what is known of it from a BatchNormalization that was folded
 */
public record Graph(
        String name,
        int opset,
        List<ValueInfo> inputs,
        List<ValueInfo> outputs,
        Map<String, TensorData> constants,
        List<Node> nodes,
        Map<String, OutputMoments> moments)
        implements Serializable {
    public Graph {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        constants = Collections.unmodifiableMap(new LinkedHashMap<>(constants));
        nodes = List.copyOf(nodes);
        moments = Map.copyOf(moments);
    }

    /** A graph of whose tensors nothing is known. */
    public Graph(
            String name,
            int opset,
            List<ValueInfo> inputs,
            List<ValueInfo> outputs,
            Map<String, TensorData> constants,
            List<Node> nodes) {
        this(name, opset, inputs, outputs, constants, nodes, Map.of());
    }

    public boolean isConstant(String tensor) {
        return constants.containsKey(tensor);
    }

    public boolean isOutput(String tensor) {
        return outputs.stream().anyMatch(output -> output.name().equals(tensor));
    }

    /** For each tensor that a node produces, that node. */
    public Map<String, Node> producers() {
        Map<String, Node> producers = new LinkedHashMap<>();
        for (Node node : nodes) {
            for (String output : node.outputs()) {
                if (!output.isEmpty()) {
                    producers.put(output, node);
                }
            }
        }
        return producers;
    }

    /** For each tensor that a node reads, those nodes in graph order. */
    public Map<String, List<Node>> consumers() {
        Map<String, List<Node>> consumers = new LinkedHashMap<>();
        for (Node node : nodes) {
            for (String input : node.inputs()) {
                if (!input.isEmpty()) {
                    consumers.computeIfAbsent(input, key -> new ArrayList<>()).add(node);
                }
            }
        }
        return consumers;
    }

    public Graph withNodes(List<Node> newNodes) {
        return new Graph(name, opset, inputs, outputs, constants, newNodes, moments);
    }

    public Graph withConstants(Map<String, TensorData> newConstants) {
        return new Graph(name, opset, inputs, outputs, newConstants, nodes, moments);
    }

    public Graph withMoments(Map<String, OutputMoments> newMoments) {
        return new Graph(name, opset, inputs, outputs, constants, nodes, newMoments);
    }
}
