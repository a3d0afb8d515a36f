package dev.gptq.graph.pattern;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Finds functions of one tensor: from their last node backwards, until one tensor enters the nodes found and only one
 * leaves. The order of operands and of operations does not matter.
 */
final class Region {
    /** Decomposed functions have up to about ten nodes. */
    private static final int LARGEST = 24;

    /** Runtimes join these to the layer before them. */
    private static final Set<String> LIMITS = Set.of("Relu", "Clip");

    private final Graph graph;
    private final Set<String> ends;
    private final Map<String, List<Node>> consumers;
    private final Map<String, Node> producers;
    private final Map<String, Integer> positions = new HashMap<>();

    /** @param ends tensors that no function goes beyond: the outputs of layers */
    Region(Graph graph, Set<String> ends) {
        this.graph = graph;
        this.ends = ends;
        this.consumers = graph.consumers();
        this.producers = graph.producers();
        List<Node> nodes = graph.nodes();
        for (int i = 0; i < nodes.size(); i++) {
            positions.put(nodes.get(i).output(), i);
        }
    }

    /**
     * The largest such function that ends in {@code exit}, in graph order.
     *
     * @param belongs what it may consist of
     * @return empty when there is none of two or more nodes
     */
    List<Node> endingIn(Node exit, Predicate<Node> belongs) {
        Set<Node> nodes = new TreeSet<>(Comparator.comparing(node -> positions.get(node.output())));
        nodes.add(exit);
        Set<String> entering = new HashSet<>();
        enter(exit, entering);
        List<Node> found = List.of();
        while (nodes.size() < LARGEST) {
            // Of the tensors that enter, the latest one cannot be what the others are made from.
            String latest = entering.stream()
                    .max(Comparator.comparing(tensor -> positions.getOrDefault(tensor, -1)))
                    .orElse("");
            Node producer = producers.get(latest);
            boolean optional = entering.size() == 1;
            if (producer == null
                    || !belongs.test(producer)
                    || optional && LIMITS.contains(producer.opType()) && !continues(producer, belongs)
                    || !isInner(latest, nodes)) {
                break;
            }
            nodes.add(producer);
            entering.remove(latest);
            enter(producer, entering);
            if (entering.size() == 1) {
                found = new ArrayList<>(nodes);
            }
        }
        return found;
    }

    /** Whether a limit is part of a function that goes on before it, and not of the layer before it. */
    private boolean continues(Node limit, Predicate<Node> belongs) {
        Node before = producers.get(limit.input(0));
        Set<String> entering = new HashSet<>();
        if (before != null) {
            enter(before, entering);
        }
        return entering.size() == 1 && belongs.test(before) && !ends.contains(before.output());
    }

    private boolean isInner(String tensor, Set<Node> nodes) {
        return !ends.contains(tensor)
                && !graph.isOutput(tensor)
                && producers.get(tensor).outputs().size() == 1
                && nodes.containsAll(consumers.get(tensor));
    }

    private void enter(Node node, Set<String> entering) {
        for (String input : node.inputs()) {
            if (!input.isEmpty() && !graph.isConstant(input)) {
                entering.add(input);
            }
        }
    }
}
