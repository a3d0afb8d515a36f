package dev.gptq.graph.pattern;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * From the product of queries and keys to the attention's weights: scale, mask and Softmax. The products themselves are no
 * part of it: their operands and results are quantized.
 */
final class AttentionScores {
    private static final Set<String> SCALE_AND_MASK =
            Set.of("Add", "Sub", "Mul", "Div", "Where", "Reshape", "Squeeze", "Unsqueeze");
    private static final int LONGEST = 8;

    private final Graph graph;
    private final Map<String, Node> producers;
    private final Map<String, List<Node>> consumers;

    AttentionScores(Graph graph) {
        this.graph = graph;
        this.producers = graph.producers();
        this.consumers = graph.consumers();
    }

    /** Null when {@code exit} is no Softmax of scaled or masked scores. */
    Unit endingIn(Node exit, Predicate<Node> free) {
        if (!exit.is("Softmax")) {
            return null;
        }
        List<Node> way = way(exit.input(0), free, LONGEST);
        if (way == null || way.isEmpty()) {
            return null;
        }
        way.add(exit);
        return new Unit(Unit.Kind.ATTENTION, way);
    }

    /** The nodes between a product of two activations and {@code tensor}, or null when it comes from no such product. */
    private List<Node> way(String tensor, Predicate<Node> free, int steps) {
        Node producer = producers.get(tensor);
        if (producer == null || steps == 0) {
            return null;
        }
        if (producer.is("MatMul")) {
            return producer.inputs().stream().anyMatch(graph::isConstant) ? null : new ArrayList<>();
        }
        boolean alone = consumers.get(tensor).size() == 1 && !graph.isOutput(tensor);
        if (!alone || !SCALE_AND_MASK.contains(producer.opType()) || !free.test(producer)) {
            return null;
        }
        for (String input : producer.inputs()) {
            List<Node> way = way(input, free, steps - 1);
            if (way != null) {
                way.add(producer);
                return way;
            }
        }
        return null;
    }
}
