package dev.gptq.export;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.Set;

/** Knows which operators keep values on the grid of their first input. */
final class PassThrough {
    private static final Set<String> MOVES_VALUES = Set.of(
            "MaxPool", "Flatten", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Gather", "Expand", "Tile");

    private static final Set<String> CLIPS_VALUES = Set.of("Relu", "Clip");

    private PassThrough() {}

    /** Whether each output value is an input value, or zero, which every grid has. */
    static boolean movesValues(Graph graph, Node node) {
        if (node.is("Pad")) {
            return padsWithZero(graph, node);
        }
        return MOVES_VALUES.contains(node.opType()) && node.outputs().size() == 1;
    }

    /**
     * Whether {@code q(f(x)) = q(f(q(x)))} for every grid q: true for limits, since rounding keeps order and a limit
     * between two grid points rounds to the one that values beyond it end at.
     */
    static boolean clipsValues(Node node) {
        return CLIPS_VALUES.contains(node.opType());
    }

    private static boolean padsWithZero(Graph graph, Node node) {
        if (!node.text("mode", "constant").equals("constant") || !node.hasInput(2)) {
            return true;
        }
        TensorData value = graph.constants().get(node.input(2));
        return value != null && value.type().isFloating() && value.size() == 1 && isZero(value);
    }

    private static boolean isZero(TensorData value) {
        return value.type() == ElementType.FLOAT32 ? value.floats()[0] == 0 : value.doubles()[0] == 0;
    }
}
