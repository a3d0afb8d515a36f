package dev.gptq.calibrate;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.ElementTypes;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which tensors get an activation quantizer: model inputs and op outputs, the last tensor of each fused group. */
public final class ActivationTensors {
    /** Operators that move or select values: a quantizer behind them would do nothing (MCT's default target platform). */
    private static final Set<String> MOVING = Set.of(
            "Flatten",
            "Reshape",
            "Transpose",
            "Squeeze",
            "Unsqueeze",
            "MaxPool",
            "GlobalMaxPool",
            "Pad",
            "Gather",
            "Slice",
            "Split",
            "Cast",
            "Identity",
            "Dropout",
            "Expand",
            "Tile",
            "DepthToSpace",
            "SpaceToDepth",
            "GatherElements",
            "GatherND",
            "ReduceMax",
            "ReduceMin",
            "ReverseSequence",
            "Compress",
            "TopK");
    /** Operators that make real numbers, but no activations. */
    private static final Set<String> MADE_FROM_SHAPES = Set.of("ConstantOfShape", "Range", "EyeLike");

    private static final Set<String> AFTER_CONVOLUTION =
            Set.of("Relu", "Clip", "LeakyRelu", "HardSwish", "PRelu", "Sigmoid", "Tanh");
    private static final Set<String> AFTER_LINEAR = Set.of("Relu", "Clip", "LeakyRelu", "HardSwish", "Sigmoid");
    private static final Set<String> AFTER_ARITHMETIC = Set.of("Relu", "Clip", "LeakyRelu");
    private static final Map<String, Set<String>> FUSED = Map.of(
            "Conv", AFTER_CONVOLUTION,
            "ConvTranspose", AFTER_CONVOLUTION,
            "Gemm", AFTER_LINEAR,
            "MatMul", AFTER_LINEAR,
            "Add", AFTER_ARITHMETIC,
            "Sub", AFTER_ARITHMETIC,
            "Mul", AFTER_ARITHMETIC,
            "Div", AFTER_ARITHMETIC);

    private ActivationTensors() {}

    /** The quantized tensors of a prepared graph, in graph order. */
    public static List<String> of(Graph prepared) {
        return List.copyOf(namesByTensor(prepared).keySet());
    }

    /**
     * The quantized tensors in graph order, each with the names of the nodes that share its quantizer (the fused group), or
     * a model input's own name.
     */
    static Map<String, List<String>> namesByTensor(Graph prepared) {
        Map<String, List<String>> tensors = new LinkedHashMap<>();
        // Names of the nodes that come before a tensor's own in its group.
        Map<String, List<String>> groups = new HashMap<>();
        Set<String> notReal = notRealTensors(prepared);
        for (ValueInfo input : prepared.inputs()) {
            if (!notReal.contains(input.name())) {
                tensors.put(input.name(), List.of(input.name()));
            }
        }
        Map<String, ComparePoint> layers = new HashMap<>();
        for (ComparePoint point : ComparePoints.of(prepared)) {
            layers.put(point.weight(), point);
        }
        Map<String, String> linearOutputs = new HashMap<>();
        Map<String, List<Node>> consumers = prepared.consumers();
        for (Node node : prepared.nodes()) {
            ComparePoint layer = layerOf(node, layers);
            if (layer != null && !layer.output().equals(node.output())) {
                // A MatMul whose bias is a following Add: the Add's output stands for the layer.
                linearOutputs.put(layer.output(), node.opType());
                groups.put(layer.output(), List.of(node.name()));
                continue;
            }
            if (MOVING.contains(node.opType())) {
                continue;
            }
            String kind = linearOutputs.getOrDefault(node.output(), node.opType());
            List<String> names = new ArrayList<>(groups.getOrDefault(node.output(), List.of()));
            names.add(node.name());
            for (String output : node.outputs()) {
                if (output.isEmpty() || notReal.contains(output)) {
                    continue;
                }
                List<Node> readers = consumers.getOrDefault(output, List.of());
                if (isFused(prepared, output, kind, readers)) {
                    groups.put(readers.get(0).output(), names);
                } else {
                    tensors.put(output, names);
                }
            }
        }
        return tensors;
    }

    private static ComparePoint layerOf(Node node, Map<String, ComparePoint> layers) {
        return node.hasInput(1) ? layers.get(node.input(1)) : null;
    }

    private static boolean isFused(Graph graph, String tensor, String kind, List<Node> consumers) {
        return consumers.size() == 1
                && !graph.isOutput(tensor)
                && FUSED.getOrDefault(kind, Set.of()).contains(consumers.get(0).opType())
                && consumers.get(0).input(0).equals(tensor);
    }

    /** Tensors of integers, truth values, shapes and unknown types, and what is made from shapes. */
    private static Set<String> notRealTensors(Graph graph) {
        Set<String> notReal = new HashSet<>();
        Map<String, ElementType> types = ElementTypes.of(graph);
        graph.inputs().stream()
                .map(ValueInfo::name)
                .filter(input -> !isReal(types, input))
                .forEach(notReal::add);
        for (Node node : graph.nodes()) {
            boolean moved = MOVING.contains(node.opType()) && notReal.contains(node.input(0)) && !node.is("Cast");
            for (String output : node.outputs()) {
                if (MADE_FROM_SHAPES.contains(node.opType()) || moved || !isReal(types, output)) {
                    notReal.add(output);
                }
            }
        }
        return notReal;
    }

    private static boolean isReal(Map<String, ElementType> types, String tensor) {
        return types.containsKey(tensor) && types.get(tensor).isFloating();
    }
}
