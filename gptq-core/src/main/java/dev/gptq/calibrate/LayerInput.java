package dev.gptq.calibrate;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The tensor that a layer multiplies its kernel with.
 *
 * @param node the layer's operator
 * @param channelAxis the tensor's axis that the kernel sums over; -1 for the last
 */
record LayerInput(Node node, String tensor, int channelAxis) {
    private static final int CONVOLUTION_CHANNEL_AXIS = 1;

    /** The inputs of all compare points that have a real one, by compare point name, in their order. */
    static Map<String, LayerInput> of(Graph graph) {
        Map<String, Node> byWeight = new HashMap<>();
        for (Node node : graph.nodes()) {
            if (node.hasInput(1)) {
                byWeight.put(node.input(1), node);
            }
        }
        Map<String, LayerInput> inputs = new LinkedHashMap<>();
        for (ComparePoint point : ComparePoints.of(graph)) {
            Node node = byWeight.get(point.weight());
            if (node == null) {
                // The rows of an embedding table are picked, not multiplied.
                continue;
            }
            boolean convolution = node.is("Conv") || node.is("ConvTranspose");
            inputs.put(point.name(), new LayerInput(node, node.input(0), convolution ? CONVOLUTION_CHANNEL_AXIS : -1));
        }
        return inputs;
    }
}
