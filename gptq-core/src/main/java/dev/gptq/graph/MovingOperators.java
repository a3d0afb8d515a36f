package dev.gptq.graph;

import java.util.Set;

/**
 * Operators whose output values are input values: a quantizer behind them would do nothing, and the grid of their input
 * still holds.
 */
public final class MovingOperators {
    private static final Set<String> NAMES = Set.of(
            "Compress",
            "DepthToSpace",
            "Dropout",
            "Expand",
            "Flatten",
            "Gather",
            "GatherElements",
            "GatherND",
            "GlobalMaxPool",
            "Identity",
            "MaxPool",
            "Pad",
            "ReduceMax",
            "ReduceMin",
            "Reshape",
            "ReverseSequence",
            "Slice",
            "SpaceToDepth",
            "Split",
            "Squeeze",
            "Tile",
            "TopK",
            "Transpose",
            "Unsqueeze");

    private MovingOperators() {}

    /** Whether the values of each real output are values of the node's first input, or padding. */
    public static boolean moves(Node node) {
        return NAMES.contains(node.opType())
                || node.is("Resize") && node.text("mode", "nearest").equals("nearest");
    }
}
