package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Rewrites that make two neighbouring nodes one, pair by pair until no pair is left. */
final class Merging {
    private Merging() {}

    /** Applies {@code merge}, which gives null where it finds no pair, as long as it finds one. */
    static Graph untilNone(Graph graph, UnaryOperator<Graph> merge) {
        Graph current = graph;
        for (Graph next = merge.apply(current); next != null; next = merge.apply(current)) {
            current = next;
        }
        return current;
    }

    /** The graph without {@code dropped}, with {@code merged} in the place of {@code layer} and some constants changed. */
    static Graph merge(Graph graph, Node dropped, Node layer, Node merged, Map<String, TensorData> changed) {
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (node.equals(layer)) {
                nodes.add(merged);
            } else if (!node.equals(dropped)) {
                nodes.add(node);
            }
        }
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        constants.putAll(changed);
        return graph.withConstants(constants).withNodes(nodes);
    }
}
