package dev.gptq.export;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A graph under construction: nodes and constants are added under names that nothing else has. */
final class GraphEditor {
    private final Graph original;
    private final Set<String> taken = new HashSet<>();
    private final Map<String, TensorData> constants = new LinkedHashMap<>();
    private final List<Node> nodes = new ArrayList<>();

    /** Starts with the graph's inputs, outputs and constants, and without nodes. */
    GraphEditor(Graph original) {
        this.original = original;
        constants.putAll(original.constants());
        taken.addAll(original.constants().keySet());
        original.inputs().forEach(input -> taken.add(input.name()));
        original.outputs().forEach(output -> taken.add(output.name()));
        for (Node node : original.nodes()) {
            taken.add(node.name());
            taken.addAll(node.outputs());
            node.subgraphs().values().forEach(body -> taken.addAll(body.locals()));
        }
    }

    /** {@code wanted}, or the first of {@code wanted_1}, {@code wanted_2}, ... that is free. */
    String unique(String wanted) {
        String name = wanted;
        for (int i = 1; !taken.add(name); i++) {
            name = wanted + "_" + i;
        }
        return name;
    }

    String constant(String wanted, TensorData value) {
        String name = unique(wanted);
        constants.put(name, value);
        return name;
    }

    void add(Node node) {
        nodes.add(node);
    }

    /** Adds a node with a short name: names of tensors are long, and a node of this kind is found by its output. */
    void add(String opType, List<String> inputs, String output, Map<String, Serializable> attributes) {
        nodes.add(new Node(unique(opType + "_" + nodes.size()), opType, inputs, List.of(output), attributes));
    }

    /** The finished graph, without constants that no node reads. */
    Graph build() {
        Set<String> read = new HashSet<>();
        nodes.forEach(node -> read.addAll(node.inputs()));
        original.outputs().forEach(output -> read.add(output.name()));
        constants.keySet().retainAll(read);
        return original.withNodes(nodes).withConstants(constants);
    }
}
