package dev.gptq.engine;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.ElementTypes;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** Tells which nodes of a graph the engine hands to ONNX Runtime. */
public final class RuntimeNodes {
    private RuntimeNodes() {}

    /** Their names, in graph order. */
    public static Set<String> of(Graph graph) {
        Map<String, ElementType> types = ElementTypes.of(graph);
        Set<String> names = new LinkedHashSet<>();
        for (Node node : graph.nodes()) {
            if (Operators.find(node, graph, types) instanceof RuntimeOperator) {
                names.add(node.name());
            }
        }
        return names;
    }
}
