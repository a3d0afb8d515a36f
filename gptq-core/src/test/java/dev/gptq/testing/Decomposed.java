package dev.gptq.testing;

import dev.gptq.graph.TensorData;

/**
 * Functions as exporters decompose them; each reads the tensor {@code x} and writes the tensor {@code y}, and names its own
 * tensors after {@code y}.
 */
public final class Decomposed {
    private Decomposed() {}

    /** A way to write a function. */
    public interface Form {
        GraphBuilder addTo(GraphBuilder builder, String x, String y);
    }

    public static final Form HARD_SWISH_OF_HARD_SIGMOID =
            (b, x, y) -> b.node("HardSigmoid", x, y + "_g", "alpha", 1f / 6).node("Mul", y + "_g " + x, y);

    public static final Form HARD_SWISH_OF_CLIP = (b, x, y) -> b.scalar(y + "_3", 3)
            .scalar(y + "_0", 0)
            .scalar(y + "_6", 6)
            .node("Add", y + "_3 " + x, y + "_a")
            .node("Clip", y + "_a " + y + "_0 " + y + "_6", y + "_c")
            .node("Mul", x + " " + y + "_c", y + "_m")
            .node("Div", y + "_m " + y + "_6", y);

    public static final Form HARD_SIGMOID_OF_CLIP = (b, x, y) -> b.scalar(y + "_3", 3)
            .scalar(y + "_0", 0)
            .scalar(y + "_6", 6)
            .node("Add", x + " " + y + "_3", y + "_a")
            .node("Clip", y + "_a " + y + "_0 " + y + "_6", y + "_c")
            .node("Div", y + "_c " + y + "_6", y);

    public static final Form SWISH = (b, x, y) -> b.node("Sigmoid", x, y + "_s").node("Mul", x + " " + y + "_s", y);

    public static final Form GELU_OF_ERF = (b, x, y) -> b.scalar(y + "_r", 1.41421356f)
            .scalar(y + "_1", 1)
            .scalar(y + "_h", 0.5f)
            .node("Div", x + " " + y + "_r", y + "_d")
            .node("Erf", y + "_d", y + "_e")
            .node("Add", y + "_1 " + y + "_e", y + "_a")
            .node("Mul", x + " " + y + "_a", y + "_m")
            .node("Mul", y + "_m " + y + "_h", y);

    /** The half first, and its constants behind Identity. */
    public static final Form GELU_OF_TANH = (b, x, y) -> b.scalar(y + "_k", 0.044715f)
            .scalar(y + "_p", 3)
            .scalar(y + "_q", 0.7978846f)
            .scalar(y + "_1", 1)
            .scalar(y + "_half", 0.5f)
            .node("Identity", y + "_half", y + "_h")
            .node("Pow", x + " " + y + "_p", y + "_cube")
            .node("Mul", y + "_k " + y + "_cube", y + "_c")
            .node("Add", y + "_c " + x, y + "_i")
            .node("Mul", y + "_i " + y + "_q", y + "_s")
            .node("Tanh", y + "_s", y + "_t")
            .node("Add", y + "_t " + y + "_1", y + "_o")
            .node("Mul", y + "_h " + x, y + "_x")
            .node("Mul", y + "_x " + y + "_o", y);

    /** Over the last axis of {@code size} elements. */
    public static Form layerNorm(int size) {
        return (b, x, y) -> b.scalar(y + "_two", 2)
                .scalar(y + "_eps", 1e-5f)
                .constant(y + "_gamma", positive(size))
                .weight(y + "_beta", size)
                .node("ReduceMean", x, y + "_mean", "axes", new long[] {-1})
                .node("Sub", x + " " + y + "_mean", y + "_centred")
                .node("Pow", y + "_centred " + y + "_two", y + "_squares")
                .node("ReduceMean", y + "_squares", y + "_variance", "axes", new long[] {-1})
                .node("Add", y + "_variance " + y + "_eps", y + "_shifted")
                .node("Sqrt", y + "_shifted", y + "_deviation")
                .node("Div", y + "_centred " + y + "_deviation", y + "_normal")
                .node("Mul", y + "_gamma " + y + "_normal", y + "_scaled")
                .node("Add", y + "_scaled " + y + "_beta", y);
    }

    private static TensorData positive(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = 0.5f + i % 5 / 4f;
        }
        return TensorData.ofFloats(values, size);
    }
}
