package dev.gptq.engine;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.OperatorSupport;
import dev.gptq.graph.SupportedOperators;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The operators the engine runs, by ONNX name. */
final class Operators {
    private static final Map<String, Operator> TABLE = table();
    /** Operators that on INT64 do what they do on a narrower integer type. */
    private static final Set<String> EXACT_WHEN_CARRIED = Set.of(
            "Max",
            "Min",
            "Reshape",
            "Flatten",
            "Squeeze",
            "Unsqueeze",
            "Transpose",
            "Concat",
            "Slice",
            "Gather",
            "Shape");

    private Operators() {}

    /** Operators that the engine has itself. */
    static Set<String> names() {
        return TABLE.keySet();
    }

    /**
     * The engine's own operator where it has the node's form and types; else one that asks ONNX Runtime; null when the
     * project does not support the operator.
     */
    static Operator find(Node node, Graph graph, Map<String, ElementType> types) {
        OperatorSupport support = SupportedOperators.of(node.opType());
        if (support == null || support.way() == OperatorSupport.Way.UPGRADED) {
            return null;
        }
        Operator own = TABLE.get(node.opType());
        List<String> tensors = new ArrayList<>(node.inputs());
        tensors.addAll(node.outputs());
        boolean ownTypes = tensors.stream().noneMatch(tensor -> {
            ElementType type = types.get(tensor);
            boolean exact = EXACT_WHEN_CARRIED.contains(node.opType()) && type != ElementType.UINT64;
            return type != null && type.isCarried() && !exact;
        });
        return own != null && OwnForms.has(node, types) && ownTypes
                ? own
                : new RuntimeOperator(node, graph.opset(), types);
    }

    private static Map<String, Operator> table() {
        Map<String, Operator> table = new HashMap<>();
        ElementwiseOperators.addTo(table);
        ConvolutionOperators.addTo(table);
        MatrixOperators.addTo(table);
        PoolingOperators.addTo(table);
        ReductionOperators.addTo(table);
        ShapeOperators.addTo(table);
        IndexOperators.addTo(table);
        ActivationOperators.addTo(table);
        LogicOperators.addTo(table);
        NormalizationOperators.addTo(table);
        LayoutOperators.addTo(table);
        ElementOperators.addTo(table);
        ResizeOperator.addTo(table);
        EinsumOperator.addTo(table);
        return Map.copyOf(table);
    }
}
