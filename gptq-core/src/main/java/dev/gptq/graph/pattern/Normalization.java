package dev.gptq.graph.pattern;

import dev.gptq.graph.Node;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A tensor divided by a norm or deviation of itself: layer normalization as (x - mean(x)) / sqrt(mean((x - mean(x))^2) + e) *
 * scale + offset, RMS normalization, the L2 norm.
 */
final class Normalization {
    private static final Set<String> REDUCTIONS = Set.of("ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL2");

    private Normalization() {}

    static Unit endingIn(Node exit, Region region, Predicate<Node> free) {
        List<Node> nodes = region.endingIn(
                exit,
                node -> (reduces(node) || ElementwiseFunction.OPERATORS.contains(node.opType())) && free.test(node));
        return nodes.stream().anyMatch(Normalization::reduces)
                        && nodes.stream().anyMatch(node -> node.is("Div") || node.is("Reciprocal") || node.is("Pow"))
                ? new Unit(Unit.Kind.NORMALIZATION, nodes)
                : null;
    }

    /** With its axis kept, so that the result broadcasts against what it was made from. */
    private static boolean reduces(Node node) {
        return REDUCTIONS.contains(node.opType()) && node.integer("keepdims", 1) == 1;
    }
}
