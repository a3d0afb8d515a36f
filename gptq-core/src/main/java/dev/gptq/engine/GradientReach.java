package dev.gptq.engine;

import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.ElementTypes;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.OperatorSupport;
import dev.gptq.graph.SupportedOperators;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Tells where gradients pass: what ONNX Runtime makes has no history. */
public final class GradientReach {
    private GradientReach() {}

    /** Outputs of compare points, and what operators with gradient compute from them. */
    public static Set<String> of(Graph graph) {
        Map<String, ElementType> types = ElementTypes.of(graph);
        Set<String> reached = new HashSet<>();
        ComparePoints.of(graph).forEach(point -> reached.add(point.output()));
        for (Node node : graph.nodes()) {
            if (passes(node, graph, types) && node.inputs().stream().anyMatch(reached::contains)) {
                node.outputs().stream().filter(output -> isReal(types, output)).forEach(reached::add);
            }
        }
        return reached;
    }

    /** Tensors whose effect on some real output goes through an operator that no gradient passes, at least in part. */
    public static Set<String> blocked(Graph graph) {
        Map<String, ElementType> types = ElementTypes.of(graph);
        Set<String> effective = new HashSet<>();
        graph.outputs().forEach(output -> effective.add(output.name()));
        Set<String> blocked = new HashSet<>();
        List<Node> nodes = graph.nodes();
        for (int i = nodes.size() - 1; i >= 0; i--) {
            Node node = nodes.get(i);
            List<String> outputs = node.outputs().stream()
                    .filter(output -> effective.contains(output) && isReal(types, output))
                    .toList();
            if (outputs.isEmpty()) {
                continue;
            }
            boolean blocks = outputs.stream().anyMatch(blocked::contains) || !passes(node, graph, types);
            node.inputs().stream().filter(input -> isReal(types, input)).forEach(input -> {
                effective.add(input);
                if (blocks) {
                    blocked.add(input);
                }
            });
        }
        return blocked;
    }

    private static boolean isReal(Map<String, ElementType> types, String tensor) {
        return types.containsKey(tensor) && types.get(tensor).isFloating();
    }

    private static boolean passes(Node node, Graph graph, Map<String, ElementType> types) {
        OperatorSupport support = SupportedOperators.of(node.opType());
        return support != null
                && support.way() == OperatorSupport.Way.DIFFERENTIABLE
                && !(Operators.find(node, graph, types) instanceof RuntimeOperator);
    }
}
