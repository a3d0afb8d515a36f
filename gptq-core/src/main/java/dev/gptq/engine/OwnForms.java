package dev.gptq.engine;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Node;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which forms of its operators the engine runs itself; the others go to ONNX Runtime. */
final class OwnForms {
    private static final int MAX_SPATIAL_RANK = 3;
    /** Operators of real numbers that ONNX defines for integers, too, where PyTorch answers otherwise or not at all. */
    private static final Set<String> REAL_ONLY = Set.of(
            "ReduceMean",
            "ReduceMax",
            "ReduceMin",
            "ReduceProd",
            "ReduceL1",
            "ReduceL2",
            "ReduceLogSum",
            "ReduceLogSumExp",
            "ReduceSumSquare",
            "Resize",
            "Mean",
            "MaxPool",
            "Einsum",
            "Trilu");

    private OwnForms() {}

    static boolean has(Node node, Map<String, ElementType> types) {
        ElementType type = types.get(node.input(0));
        if (REAL_ONLY.contains(node.opType()) && (type == null || !type.isFloating())) {
            return false;
        }
        List<String> outputs = node.outputs();
        return switch (node.opType()) {
            case "MaxPool" -> outputs.size() == 1 && !isDilated(node) && fits(node);
            case "AveragePool" -> !isDilated(node) && fits(node);
            case "Conv", "ConvTranspose" -> fits(node);
            case "LayerNormalization" -> outputs.size() == 1;
            case "ScatterElements", "ScatterND" ->
                node.text("reduction", "none").equals("none");
            case "Einsum" -> EinsumOperator.handles(node);
            case "Resize" ->
                !node.text("coordinate_transformation_mode", "").equals("tf_crop_and_resize")
                        && node.integer("antialias", 0) == 0
                        && node.text("keep_aspect_ratio_policy", "stretch").equals("stretch");
            default -> true;
        };
    }

    private static boolean isDilated(Node node) {
        return Arrays.stream(node.integers("dilations", new long[0])).anyMatch(dilation -> dilation != 1);
    }

    private static boolean fits(Node node) {
        return node.integers("kernel_shape", new long[0]).length <= MAX_SPATIAL_RANK;
    }
}
