package dev.gptq.graph;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The element types of a graph's tensors, as far as the graph alone tells them. */
public final class ElementTypes {
    private static final Set<String> TRUTH_VALUES = Set.of(
            "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "And", "Or", "Xor", "IsNaN", "IsInf");

    private static final Set<String> INDICES =
            Set.of("Shape", "Size", "ArgMax", "ArgMin", "NonZero", "NonMaxSuppression");
    private static final Set<String> UNKNOWN = Set.of("If", "Loop", "Scan");

    private ElementTypes() {}

    /** Types by tensor name; tensors of unknown type (results of If, Loop and Scan) are not in the map. */
    public static Map<String, ElementType> of(Graph graph) {
        Map<String, ElementType> types = new HashMap<>();
        graph.inputs().forEach(input -> types.put(input.name(), input.type()));
        graph.constants().forEach((name, tensor) -> types.put(name, tensor.type()));
        for (Node node : graph.nodes()) {
            for (int i = 0; i < node.outputs().size(); i++) {
                ElementType type = typeOf(node, i, types);
                if (type != null && !node.outputs().get(i).isEmpty()) {
                    types.put(node.outputs().get(i), type);
                }
            }
        }
        return types;
    }

    private static ElementType typeOf(Node node, int output, Map<String, ElementType> types) {
        String op = node.opType();
        if (TRUTH_VALUES.contains(op)) {
            return ElementType.BOOL;
        }
        if (INDICES.contains(op)) {
            return ElementType.INT64;
        }
        if (UNKNOWN.contains(op)) {
            return null;
        }
        if (output > 0 && List.of("TopK", "MaxPool", "Unique").contains(op)) {
            return ElementType.INT64;
        }
        return switch (op) {
            case "Cast" -> attribute(node, "to", ElementType.FLOAT32);
            case "CastLike", "Where" -> types.get(node.input(1));
            case "OneHot" -> types.get(node.input(2));
            case "ConstantOfShape" ->
                node.attributes().get("value") instanceof TensorData value ? value.type() : ElementType.FLOAT32;
            case "EyeLike" -> attribute(node, "dtype", types.get(node.input(0)));
            case "Dropout" -> output == 0 ? types.get(node.input(0)) : ElementType.BOOL;
            case "HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix" ->
                attribute(node, "output_datatype", ElementType.FLOAT32);
            case "TfIdfVectorizer" -> ElementType.FLOAT32;
            case "QuantizeLinear" -> node.hasInput(2) ? types.get(node.input(2)) : ElementType.UINT8;
            case "DynamicQuantizeLinear" -> output == 1 ? ElementType.FLOAT32 : ElementType.UINT8;
            case "DequantizeLinear" -> types.get(node.input(1));
            case "MatMulInteger", "ConvInteger" -> ElementType.INT32;
            case "QLinearConv", "QLinearMatMul" -> types.get(node.input(7));
            default -> types.get(node.input(0));
        };
    }

    private static ElementType attribute(Node node, String name, ElementType absent) {
        long code = node.integer(name, 0);
        return code == 0 ? absent : ElementType.ofOnnxCode((int) code);
    }
}
