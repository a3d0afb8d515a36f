package dev.gptq.calibrate;

import dev.gptq.graph.Graph;
import dev.gptq.graph.MovingOperators;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.DoublePredicate;

/**
 * Tensors that hold the huge numbers with which models switch off positions before a Softmax: -10000 (1 - mask) in BERT, -1e9,
 * the lowest float or minus infinity elsewhere. On a grid that spans them nothing else would be left, so no target quantizes
 * them, nor what they alone are made from.
 */
final class Masks {
    /** The smallest number, in magnitude, that is taken for one that switches off; activations stay far below. */
    private static final double HUGE = 9_999;

    /** Operators that let a huge number of any operand through. */
    private static final Set<String> PASSING =
            Set.of("Add", "Sub", "Where", "Max", "Min", "Mul", "Neg", "Concat", "Trilu", "ScatterND", "Cast", "Sum");

    private final Graph graph;
    private final Set<String> masks = new HashSet<>();

    private Masks(Graph graph) {
        this.graph = graph;
    }

    /** The tensors that hold masks, and the ones that are read for nothing else. */
    static Set<String> of(Graph graph) {
        Masks found = new Masks(graph);
        for (Node node : graph.nodes()) {
            if (found.isMask(node)) {
                found.masks.addAll(node.outputs());
            }
        }
        if (!found.masks.isEmpty()) {
            found.addSources();
        }
        return found.masks;
    }

    private boolean isMask(Node node) {
        if (node.is("ConstantOfShape")) {
            return node.attributes().get("value") instanceof TensorData value && any(value, Masks::isHuge);
        }
        boolean passing = PASSING.contains(node.opType());
        if (!passing && !MovingOperators.moves(node)) {
            return false;
        }
        List<String> values = passing ? node.inputs() : node.inputs().subList(0, 1);
        // A positive factor may be a change of units, and the larger of a tensor and a limit is not the limit.
        boolean limit = node.is("Max") || node.is("Min");
        DoublePredicate huge = limit ? value -> false : node.is("Mul") ? value -> value <= -HUGE : Masks::isHuge;
        return values.stream()
                .anyMatch(input -> masks.contains(input)
                        || graph.isConstant(input) && any(graph.constants().get(input), huge));
    }

    /** What only products with a huge number read, such as 1 - mask, and before it what only that reads. */
    private void addSources() {
        Map<String, List<Node>> consumers = graph.consumers();
        Set<String> sources = new HashSet<>();
        for (int i = graph.nodes().size() - 1; i >= 0; i--) {
            graph.nodes().get(i).outputs().forEach(output -> addSource(output, consumers, sources));
        }
        graph.inputs().forEach(input -> addSource(input.name(), consumers, sources));
        masks.addAll(sources);
    }

    private void addSource(String tensor, Map<String, List<Node>> consumers, Set<String> sources) {
        List<Node> readers = consumers.getOrDefault(tensor, List.of());
        boolean source = !readers.isEmpty()
                && !graph.isOutput(tensor)
                && readers.stream()
                        .allMatch(node -> sources.contains(node.output())
                                || node.is("Mul") && masks.contains(node.output()) && makesMask(node));
        if (source) {
            sources.add(tensor);
        }
    }

    private boolean makesMask(Node product) {
        return product.inputs().stream()
                .anyMatch(input ->
                        graph.isConstant(input) && any(graph.constants().get(input), Masks::isHuge));
    }

    private static boolean isHuge(double value) {
        return Math.abs(value) >= HUGE;
    }

    private static boolean any(TensorData constant, DoublePredicate predicate) {
        switch (constant.type()) {
            case FLOAT32 -> {
                for (float value : constant.floats()) {
                    if (predicate.test(value)) {
                        return true;
                    }
                }
            }
            case FLOAT64 -> {
                for (double value : constant.doubles()) {
                    if (predicate.test(value)) {
                        return true;
                    }
                }
            }
            default -> {
                // Integers are no activations.
            }
        }
        return false;
    }
}
