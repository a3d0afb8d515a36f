package dev.gptq.graph;

/**
 * What is done with one operator.
 *
 * @param name its ONNX name
 * @param since the first opset that has it and that models may be of
 * @param until the last such opset
 * @param way how it is run
 */
public record OperatorSupport(String name, int since, int until, Way way) {
    /** The oldest and the newest operator set that models may be of. */
    public static final int MIN_OPSET = 6;

    public static final int MAX_OPSET = 23;

    /** How an operator is run. */
    public enum Way {
        /** By the engine; gradients pass through it. */
        DIFFERENTIABLE,
        /** Its results are shapes, integers or truth values, which have no gradient. */
        WITHOUT_GRADIENT,
        /** In float by ONNX Runtime, one node at a time; gradients stop there. */
        RUNTIME,
        /** Not at all: an older form that is rewritten to another operator before anything is run. */
        UPGRADED
    }

    /** Reads {@code Name}, {@code Name@since} or {@code Name@since-until}. */
    static OperatorSupport parse(String entry, Way way) {
        String[] parts = entry.split("[@-]");
        int since = parts.length > 1 ? Integer.parseInt(parts[1]) : MIN_OPSET;
        int until = parts.length > 2 ? Integer.parseInt(parts[2]) : MAX_OPSET;
        return new OperatorSupport(parts[0], since, until, way);
    }
}
