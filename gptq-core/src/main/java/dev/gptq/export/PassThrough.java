package dev.gptq.export;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.MovingOperators;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.Set;

/** Knows which operators keep values on the grid of their first input. */
final class PassThrough {
    private static final Set<String> CLIPS_VALUES = Set.of("Relu", "Clip");

    private PassThrough() {}

    /** Whether each output value is an input value, or a padding value that the input's grid has. */
    static boolean movesValues(Graph graph, Node node, ActivationPair grid) {
        if (node.is("Pad")) {
            return padsFromGrid(graph, node, grid);
        }
        return MovingOperators.moves(node);
    }

    /**
     * Whether {@code q(f(x)) = q(f(q(x)))} for every grid q: true for limits, since rounding keeps order and a limit
     * between two grid points rounds to the one that values beyond it end at.
     */
    static boolean clipsValues(Node node) {
        return CLIPS_VALUES.contains(node.opType());
    }

    private static boolean padsFromGrid(Graph graph, Node node, ActivationPair grid) {
        if (!node.text("mode", "constant").equals("constant") || !node.hasInput(2)) {
            return true;
        }
        TensorData value = graph.constants().get(node.input(2));
        return value != null
                && value.type() == ElementType.FLOAT32
                && value.size() == 1
                && grid.holds(value.floats()[0]);
    }
}
