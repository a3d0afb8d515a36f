package dev.gptq.calibrate;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The way of an activation to the one layer that reads it, on which adding a constant to the activation is the same as
 * adding it to the layer's input.
 *
 * @param point the layer at the end; it has a bias
 * @param layer its operator
 * @param pad a Pad on the way, or null
 * @param bypassed all nodes on the way, in order
 */
record ShiftPath(ComparePoint point, Node layer, Node pad, List<Node> bypassed) {
    /** MCT's lists for PyTorch and Keras together; Dropout is gone from a prepared graph. */
    private static final Set<String> KEEPS_CONSTANTS = Set.of("Reshape", "Flatten", "GlobalAveragePool");

    private static final Set<String> LAYERS = Set.of("Conv", "Gemm", "MatMul");
    private static final int PAD_VALUE = 2;

    /**
     * The path from {@code tensor}, or null when something else reads a tensor on it, it leads through another operator or
     * through more than one padding, or ends in no layer with a bias.
     */
    static ShiftPath from(Graph graph, String tensor) {
        Map<String, List<Node>> consumers = graph.consumers();
        List<Node> bypassed = new ArrayList<>();
        Node pad = null;
        String current = tensor;
        while (true) {
            List<Node> readers = consumers.getOrDefault(current, List.of());
            if (readers.size() != 1
                    || graph.isOutput(current)
                    || !readers.get(0).input(0).equals(current)) {
                return null;
            }
            Node reader = readers.get(0);
            if (LAYERS.contains(reader.opType())) {
                return ending(graph, reader, pad, bypassed);
            }
            boolean padding = reader.is("Pad");
            if (padding ? pad != null || !hasKnownValue(graph, reader) : !keepsConstants(reader)) {
                return null;
            }
            pad = padding ? reader : pad;
            bypassed.add(reader);
            current = reader.output();
        }
    }

    private static ShiftPath ending(Graph graph, Node layer, Node pad, List<Node> bypassed) {
        ComparePoint point = ComparePoints.of(graph).stream()
                .filter(candidate -> candidate.name().equals(layer.name()))
                .findFirst()
                .orElse(null);
        // Matrices of a kernel of more dimensions share a bias, but not what the shift adds.
        boolean severalMatrices = layer.is("MatMul") && point != null && point.channelAxis() > 1;
        boolean hasBias = point != null && point.bias() != null && !severalMatrices;
        boolean twicePadded = pad != null && padsInput(layer);
        return hasBias && hasExplicitPadding(layer) && !twicePadded
                ? new ShiftPath(point, layer, pad, List.copyOf(bypassed))
                : null;
    }

    /** Whether a convolution pads its input with zeros. */
    static boolean padsInput(Node layer) {
        return Arrays.stream(layer.integers("pads", new long[0])).anyMatch(pad -> pad != 0);
    }

    private static boolean hasExplicitPadding(Node node) {
        return Set.of("NOTSET", "VALID").contains(node.text("auto_pad", "NOTSET"));
    }

    /** Zeros from padding must not count in an average, nor may a window reach over the end. */
    private static boolean keepsConstants(Node node) {
        if (node.is("AveragePool")) {
            boolean padded = padsInput(node) || !hasExplicitPadding(node) || node.integer("ceil_mode", 0) != 0;
            return !padded || node.integer("count_include_pad", 0) == 0;
        }
        return KEEPS_CONSTANTS.contains(node.opType());
    }

    private static boolean hasKnownValue(Graph graph, Node pad) {
        TensorData value = graph.constants().get(pad.input(PAD_VALUE));
        return !pad.hasInput(PAD_VALUE) || value != null && value.size() == 1 && value.floats()[0] == 0;
    }
}
