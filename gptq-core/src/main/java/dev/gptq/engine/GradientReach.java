package dev.gptq.engine;

import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.ElementTypes;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.OperatorSupport;
import dev.gptq.graph.SupportedOperators;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Tells from which tensors gradients lead back to layers: what ONNX Runtime makes has no history. */
public final class GradientReach {
    private GradientReach() {}

    /** Outputs of compare points, and what operators with gradient compute from them. */
    public static Set<String> of(Graph graph) {
        Map<String, ElementType> types = ElementTypes.of(graph);
        Set<String> reached = new HashSet<>();
        ComparePoints.of(graph).forEach(point -> reached.add(point.output()));
        for (Node node : graph.nodes()) {
            OperatorSupport support = SupportedOperators.of(node.opType());
            boolean passes = support != null
                    && support.way() == OperatorSupport.Way.DIFFERENTIABLE
                    && !(Operators.find(node, graph, types) instanceof RuntimeOperator);
            if (passes && node.inputs().stream().anyMatch(reached::contains)) {
                node.outputs().stream()
                        .filter(output ->
                                types.containsKey(output) && types.get(output).isFloating())
                        .forEach(reached::add);
            }
        }
        return reached;
    }
}
