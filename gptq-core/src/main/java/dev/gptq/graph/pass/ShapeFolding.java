package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Replaces computed dimensions that are the same for every input by constants, and then what follows from them: exporters cut
 * the kernels of an attention between different sequences out of one constant, at places that they compute from a shape.
 */
final class ShapeFolding {
    private ShapeFolding() {}

    static Graph apply(Graph graph) {
        Graph folded = graph;
        Map<String, TensorData> known = KnownShapes.constants(folded);
        while (!known.isEmpty()) {
            Map<String, TensorData> constants = new LinkedHashMap<>(folded.constants());
            constants.putAll(known);
            List<Node> left = List.copyOf(folded.nodes().stream()
                    .filter(node -> !constants.containsKey(node.output()))
                    .toList());
            folded = ConstantFolding.apply(folded.withConstants(constants).withNodes(left));
            known = KnownShapes.constants(folded);
        }
        return DeadCodeElimination.apply(folded);
    }
}
