package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Drops nodes and constants that no output of the graph needs. Inputs stay. */
final class DeadCodeElimination {
    private DeadCodeElimination() {}

    static Graph apply(Graph graph) {
        Set<String> needed = new HashSet<>();
        graph.outputs().forEach(output -> needed.add(output.name()));
        List<Node> kept = new ArrayList<>();
        for (int i = graph.nodes().size() - 1; i >= 0; i--) {
            Node node = graph.nodes().get(i);
            if (node.outputs().stream().anyMatch(needed::contains)) {
                needed.addAll(node.inputs());
                needed.remove("");
                kept.add(node);
            }
        }
        Collections.reverse(kept);
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        constants.keySet().retainAll(needed);
        return graph.withNodes(kept).withConstants(constants);
    }
}
