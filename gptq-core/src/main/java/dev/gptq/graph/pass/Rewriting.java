package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.LinkedHashMap;
import java.util.Map;

/** The constants of a graph that is being rewritten, and fresh names in it. */
final class Rewriting {
    private final Map<String, TensorData> constants;
    private final Names tensors;
    private final Names nodeNames;

    Rewriting(Graph graph) {
        this.constants = new LinkedHashMap<>(graph.constants());
        this.tensors = Names.ofTensors(graph);
        this.nodeNames = Names.ofNodes(graph);
    }

    Map<String, TensorData> constants() {
        return constants;
    }

    /** Adds a constant that plays {@code role} for {@code node}; returns its name. */
    String constant(Node node, String role, TensorData value) {
        String name = tensor(node, role);
        constants.put(name, value);
        return name;
    }

    String tensor(Node node, String role) {
        return tensors.fresh(node.name() + "." + role);
    }

    String node(Node node, String role) {
        return nodeNames.fresh(node.name() + "." + role);
    }
}
