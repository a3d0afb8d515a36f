package dev.gptq.graph;

import java.util.Set;

/** Operators that combine their inputs entry by entry, repeated where a dimension is 1 or absent. */
public final class BroadcastingOperators {
    private static final Set<String> NAMES = Set.of(
            "Add",
            "And",
            "Div",
            "Equal",
            "Greater",
            "GreaterOrEqual",
            "Less",
            "LessOrEqual",
            "Max",
            "Mean",
            "Min",
            "Mod",
            "Mul",
            "Or",
            "PRelu",
            "Pow",
            "Sub",
            "Sum",
            "Where",
            "Xor");

    private BroadcastingOperators() {}

    /** Whether the node's output has the shape that its inputs have together; not so for MatMul, which repeats matrices. */
    public static boolean broadcasts(Node node) {
        return NAMES.contains(node.opType());
    }
}
