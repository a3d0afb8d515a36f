package dev.gptq.graph.pattern;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A function of each element of one tensor, written as several operators: hard-swish as x * HardSigmoid(x) or x * clip(x + 3,
 * 0, 6) / 6, swish as x * sigmoid(x), GELU with Erf or Tanh, Mish, a hard-sigmoid, scale and offset.
 */
final class ElementwiseFunction {
    static final Set<String> OPERATORS = Set.of(
            "Abs",
            "Add",
            "Clip",
            "Cos",
            "Div",
            "Elu",
            "Erf",
            "Exp",
            "Gelu",
            "HardSigmoid",
            "HardSwish",
            "LeakyRelu",
            "Log",
            "Max",
            "Min",
            "Mul",
            "Neg",
            "Pow",
            "Reciprocal",
            "Relu",
            "Selu",
            "Sigmoid",
            "Sin",
            "Softplus",
            "Softsign",
            "Sqrt",
            "Sub",
            "Tanh",
            "ThresholdedRelu");

    private static final Set<String> GATES = Set.of("Sigmoid", "HardSigmoid", "Clip", "Min");
    private static final Set<String> NO_GATES = Set.of("Erf", "Tanh");

    private ElementwiseFunction() {}

    static Unit endingIn(Node exit, Graph graph, Region region, Predicate<Node> free) {
        List<Node> nodes = region.endingIn(exit, node -> OPERATORS.contains(node.opType()) && free.test(node));
        // Two operators in a row are two operators.
        boolean function = nodes.size() > 2
                || nodes.stream()
                        .anyMatch(node -> node.inputs().size() > 1
                                && node.inputs().stream().noneMatch(graph::isConstant));
        if (!function) {
            return null;
        }
        return new Unit(isGated(nodes, graph) ? Unit.Kind.GATED : Unit.Kind.ELEMENTWISE, nodes);
    }

    /** Whether the tensor itself is multiplied with a gate made from it. */
    private static boolean isGated(List<Node> nodes, Graph graph) {
        Set<String> inner = new HashSet<>();
        nodes.forEach(node -> inner.addAll(node.outputs()));
        boolean multiplied = nodes.stream()
                .filter(node -> node.is("Mul"))
                .anyMatch(node -> node.inputs().stream().noneMatch(graph::isConstant)
                        && node.inputs().stream().anyMatch(input -> !inner.contains(input)));
        return multiplied
                && nodes.stream().anyMatch(node -> GATES.contains(node.opType()))
                && nodes.stream().noneMatch(node -> NO_GATES.contains(node.opType()));
    }
}
