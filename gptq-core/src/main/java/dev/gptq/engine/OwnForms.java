package dev.gptq.engine;

import dev.gptq.graph.Node;
import java.util.Arrays;

/** Which forms of its operators the engine runs itself; the others go to ONNX Runtime. */
final class OwnForms {
    private static final int MAX_SPATIAL_RANK = 2;

    private OwnForms() {}

    static boolean has(Node node) {
        return switch (node.opType()) {
            case "Pad" -> node.text("mode", "constant").equals("constant");
            case "MaxPool" -> node.outputs().size() == 1 && !isDilated(node) && fits(node);
            case "AveragePool" -> !isDilated(node) && fits(node);
            case "Conv", "ConvTranspose" -> fits(node);
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
