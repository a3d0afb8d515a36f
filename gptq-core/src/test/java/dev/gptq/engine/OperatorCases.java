package dev.gptq.engine;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import java.util.LinkedHashMap;
import java.util.Map;

/** Small graphs, one operator each, whose results must be ONNX Runtime's. Every graph reads input "x". */
final class OperatorCases {
    private static final int OPSET = 13;

    private final Map<String, Graph> cases = new LinkedHashMap<>();

    private OperatorCases() {}

    static Map<String, Graph> all() {
        OperatorCases all = new OperatorCases();
        all.convolutions();
        all.transposedConvolutions();
        all.matrices();
        all.pools();
        all.elementwise();
        all.shapes();
        all.indices();
        all.reductions();
        FurtherOperatorCases.addTo(all.cases);
        RearrangingCases.addTo(all.cases);
        return all.cases;
    }

    static GraphBuilder on(long... shape) {
        return atOpset(OPSET, shape);
    }

    static GraphBuilder atOpset(int opset, long... shape) {
        return new GraphBuilder(opset).input("x", shape);
    }

    static long[] of(long... values) {
        return values;
    }

    private void add(String name, GraphBuilder graph) {
        cases.put(name, graph.build());
    }

    private void convolutions() {
        conv("plain", on(2, 3, 7, 8).weight("w", 4, 3, 3, 3).weight("b", 4), "x w b");
        conv("without bias", on(2, 3, 7, 8).weight("w", 4, 3, 3, 3), "x w");
        conv(
                "strides and pads",
                on(2, 3, 7, 8).weight("w", 4, 3, 3, 3),
                "x w",
                "strides",
                of(2, 3),
                "pads",
                of(1, 2, 1, 2));
        conv("asymmetric pads", on(2, 3, 7, 8).weight("w", 4, 3, 3, 2), "x w", "pads", of(0, 1, 2, 0));
        conv("dilations", on(2, 3, 9, 9).weight("w", 4, 3, 3, 3), "x w", "dilations", of(2, 3), "pads", of(2, 3, 2, 3));
        conv("groups", on(2, 4, 7, 7).weight("w", 6, 2, 3, 3).weight("b", 6), "x w b", "group", 2);
        conv("depthwise", on(2, 4, 7, 7).weight("w", 8, 1, 3, 3), "x w", "group", 4, "pads", of(1, 1, 1, 1));
        conv(
                "one dimension",
                on(2, 3, 9).weight("w", 4, 3, 3).weight("b", 4),
                "x w b",
                "pads",
                of(1, 1),
                "strides",
                of(2));
        conv(
                "SAME_UPPER",
                on(2, 3, 8, 7).weight("w", 4, 3, 3, 2),
                "x w",
                "auto_pad",
                "SAME_UPPER",
                "strides",
                of(2, 2));
        conv(
                "SAME_LOWER",
                on(2, 3, 8, 7).weight("w", 4, 3, 3, 2),
                "x w",
                "auto_pad",
                "SAME_LOWER",
                "strides",
                of(2, 2));
        conv("VALID", on(2, 3, 8, 7).weight("w", 4, 3, 3, 2), "x w", "auto_pad", "VALID");
        add(
                "BatchNormalization",
                on(2, 3, 4, 5)
                        .weight("g", 3)
                        .weight("b", 3)
                        .weight("m", 3)
                        .constant("v", TensorData.ofFloats(new float[] {0.5f, 1, 2}, 3))
                        .node("BatchNormalization", "x g b m v", "out", "epsilon", 0.01f));
    }

    private void conv(String name, GraphBuilder graph, String inputs, Object... attributes) {
        add("Conv: " + name, graph.node("Conv", inputs, "out", attributes));
    }

    private void transposedConvolutions() {
        transposed("plain", on(2, 4, 5, 6).weight("w", 4, 3, 3, 3).weight("b", 3), "x w b");
        transposed(
                "strides, pads and output padding",
                on(2, 4, 5, 6).weight("w", 4, 3, 3, 2),
                "x w",
                "strides",
                of(2, 3),
                "pads",
                of(1, 0, 1, 1),
                "output_padding",
                of(1, 2));
        transposed(
                "dilations", on(2, 4, 5, 6).weight("w", 4, 3, 3, 2), "x w", "dilations", of(2, 2), "strides", of(2, 1));
        transposed(
                "groups",
                on(2, 4, 5, 6).weight("w", 4, 3, 3, 3).weight("b", 6),
                "x w b",
                "group",
                2,
                "strides",
                of(2, 2));
        transposed("one dimension", on(2, 4, 5).weight("w", 4, 3, 4), "x w", "strides", of(2), "pads", of(1, 1));
        transposed(
                "SAME_UPPER",
                on(2, 4, 5, 6).weight("w", 4, 3, 3, 3),
                "x w",
                "auto_pad",
                "SAME_UPPER",
                "strides",
                of(2, 2));
        transposed(
                "SAME_LOWER",
                on(2, 4, 5, 6).weight("w", 4, 3, 4, 4),
                "x w",
                "auto_pad",
                "SAME_LOWER",
                "strides",
                of(3, 3));
        transposed(
                "output shape",
                on(2, 4, 5, 6).weight("w", 4, 3, 3, 3),
                "x w",
                "output_shape",
                of(10, 12),
                "strides",
                of(2, 2));
    }

    private void transposed(String name, GraphBuilder graph, String inputs, Object... attributes) {
        add("ConvTranspose: " + name, graph.node("ConvTranspose", inputs, "out", attributes));
    }

    private void matrices() {
        add("Gemm: transB", on(3, 4).weight("w", 5, 4).weight("b", 5).node("Gemm", "x w b", "out", "transB", 1));
        add("Gemm: plain", on(3, 4).weight("w", 4, 5).weight("b", 5).node("Gemm", "x w b", "out"));
        add("Gemm: no bias", on(3, 4).weight("w", 4, 5).node("Gemm", "x w", "out"));
        add("Gemm: matrix bias", on(3, 4).weight("w", 4, 5).weight("b", 3, 1).node("Gemm", "x w b", "out"));
        add(
                "Gemm: alpha, beta, transA",
                on(4, 3).weight("w", 4, 5)
                        .weight("b", 1, 5)
                        .node("Gemm", "x w b", "out", "alpha", 0.5f, "beta", 2f, "transA", 1));
        add("MatMul: matrices", on(3, 4).weight("w", 4, 5).node("MatMul", "x w", "out"));
        add("MatMul: batched left", on(2, 3, 4).weight("w", 4, 5).node("MatMul", "x w", "out"));
        add("MatMul: broadcast", on(2, 1, 3, 4).weight("w", 5, 4, 6).node("MatMul", "x w", "out"));
        add("MatMul: vector", on(3, 4).weight("w", 4).node("MatMul", "x w", "out"));
        add("MatMul: vector left", on(4).weight("w", 4, 3).node("MatMul", "x w", "out"));
    }

    private void pools() {
        for (String pool : new String[] {"MaxPool", "AveragePool"}) {
            pool(pool, "plain", on(2, 3, 8, 7), of(2, 3));
            pool(pool, "strides and pads", on(2, 3, 8, 7), of(3, 3), "strides", of(2, 2), "pads", of(1, 1, 1, 1));
            pool(pool, "asymmetric pads", on(2, 3, 8, 7), of(3, 3), "strides", of(2, 2), "pads", of(0, 1, 2, 0));
            pool(pool, "wide pads", on(2, 3, 8, 7), of(3, 3), "pads", of(2, 2, 2, 2));
            pool(pool, "ceil mode", on(2, 3, 8, 7), of(3, 3), "strides", of(2, 2), "ceil_mode", 1);
            pool(
                    pool,
                    "ceil mode and pads",
                    on(2, 3, 8, 8),
                    of(3, 3),
                    "strides",
                    of(2, 2),
                    "pads",
                    of(1, 0, 1, 1),
                    "ceil_mode",
                    1);
            pool(pool, "SAME_UPPER", on(2, 3, 8, 7), of(3, 2), "strides", of(2, 2), "auto_pad", "SAME_UPPER");
            pool(pool, "SAME_LOWER", on(2, 3, 8, 7), of(3, 2), "strides", of(2, 2), "auto_pad", "SAME_LOWER");
            pool(pool, "one dimension", on(2, 3, 9), of(3), "strides", of(2));
        }
        pool("AveragePool", "counting pads", on(2, 3, 8, 7), of(3, 3), "pads", of(1, 1, 1, 1), "count_include_pad", 1);
        pool(
                "AveragePool",
                "counting uneven pads",
                on(2, 3, 8, 7),
                of(3, 3),
                "pads",
                of(0, 2, 1, 0),
                "count_include_pad",
                1);
        add("GlobalAveragePool", on(2, 3, 4, 5).node("GlobalAveragePool", "x", "out"));
        add("GlobalMaxPool", on(2, 3, 4, 5).node("GlobalMaxPool", "x", "out"));
    }

    private void pool(String pool, String name, GraphBuilder graph, long[] kernel, Object... attributes) {
        Object[] all = new Object[attributes.length + 2];
        all[0] = "kernel_shape";
        all[1] = kernel;
        System.arraycopy(attributes, 0, all, 2, attributes.length);
        add(pool + ": " + name, graph.node(pool, "x", "out", all));
    }

    private void elementwise() {
        for (String op :
                new String[] {"Relu", "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid", "Exp", "Neg", "Abs", "Erf"}) {
            add(op, on(2, 3, 4).node(op, "x", "out"));
        }
        add("HardSwish", atOpset(14, 2, 3, 4).node("HardSwish", "x", "out"));
        add("Identity", on(2, 3).node("Identity", "x", "out"));
        add("Dropout", on(2, 3).node("Dropout", "x", "out"));
        add("LeakyRelu: alpha", on(2, 3, 4).node("LeakyRelu", "x", "out", "alpha", 0.3f));
        add("HardSigmoid: alpha, beta", on(2, 3, 4).node("HardSigmoid", "x", "out", "alpha", 0.3f, "beta", 0.4f));
        add("Sqrt", on(2, 3).node("Abs", "x", "a").node("Sqrt", "a", "out"));
        add("Log", on(2, 3).node("Exp", "x", "a").node("Log", "a", "out"));
        add("Clip: both", on(4, 5).scalar("lo", -0.5f).scalar("hi", 0.7f).node("Clip", "x lo hi", "out"));
        add("Clip: min only", on(4, 5).scalar("lo", -0.5f).node("Clip", "x lo", "out"));
        add("Clip: max only", on(4, 5).scalar("hi", 0.5f).node("Clip", "x - hi", "out"));
        for (String op : new String[] {"Add", "Sub", "Mul", "Div", "Min", "Max"}) {
            add(op + ": broadcast", on(2, 3, 4).weight("c", 3, 1).node(op, "x c", "out"));
            add(op + ": constant first", on(3, 1).weight("c", 2, 3, 4).node(op, "c x", "out"));
            add(op + ": with itself", on(2, 3).node(op, "x x", "out"));
        }
        add("Max: three", on(2, 3).weight("c", 3).weight("d", 2, 1).node("Max", "x c d", "out"));
        add("Min: one", on(2, 3).node("Min", "x", "out"));
        add("Pow", on(2, 3).scalar("e", 3).node("Pow", "x e", "out"));
        add("Softmax", on(2, 3, 4).node("Softmax", "x", "out", "axis", 1));
        add("Softmax: last axis", on(2, 3, 4).node("Softmax", "x", "out"));
        add("LogSoftmax", on(2, 3, 4).node("LogSoftmax", "x", "out", "axis", -2));
        add("Cast: integers", on(2, 3).node("Cast", "x", "i", "to", 7).node("Cast", "i", "out", "to", 1));
        add("Cast: same type", on(2, 3).node("Cast", "x", "out", "to", 1));
        add(
                "Div: integers",
                on(2, 3).longs("d", 2, -2, 3)
                        .scalar("s", 10)
                        .node("Mul", "x s", "m")
                        .node("Cast", "m", "i", "to", 7)
                        .node("Div", "i d", "q")
                        .node("Cast", "q", "out", "to", 1));
    }

    private void shapes() {
        add("Flatten", on(2, 3, 4, 5).node("Flatten", "x", "out"));
        add("Flatten: axis 0", on(2, 3, 4).node("Flatten", "x", "out", "axis", 0));
        add("Flatten: negative axis", on(2, 3, 4).node("Flatten", "x", "out", "axis", -1));
        add("Reshape: zero and minus one", on(2, 3, 4).longs("s", 0, -1).node("Reshape", "x s", "out"));
        add("Reshape: full", on(2, 3, 4).longs("s", 4, 3, 2).node("Reshape", "x s", "out"));
        add("Transpose", on(2, 3, 4).node("Transpose", "x", "out", "perm", of(1, 2, 0)));
        add("Transpose: reversed", on(2, 3, 4).node("Transpose", "x", "out"));
        add("Concat", on(2, 3).weight("c", 2, 4).node("Concat", "x c x", "out", "axis", 1));
        add("Concat: negative axis", on(2, 3).weight("c", 2, 4).node("Concat", "c x", "out", "axis", -1));
        add("Concat: one", on(2, 3).node("Concat", "x", "out", "axis", 0));
        add("Squeeze", on(1, 3, 1, 2).longs("a", 0, -2).node("Squeeze", "x a", "out"));
        add("Squeeze: all", on(1, 3, 1, 2).node("Squeeze", "x", "out"));
        add("Unsqueeze", on(3, 2).longs("a", 0, -1).node("Unsqueeze", "x a", "out"));
        add("Pad", on(2, 3, 4).longs("p", 0, 1, 2, 1, 0, 3).scalar("v", 1.5f).node("Pad", "x p v", "out"));
        add("Pad: negative", on(2, 3, 4).longs("p", 0, -1, 2, 0, 0, -2).node("Pad", "x p", "out"));
        add("Pad: axes", atOpset(18, 2, 3, 4).longs("p", 1, 2).longs("a", -1).node("Pad", "x p - a", "out"));
        add("Shape", on(2, 3, 4).node("Shape", "x", "out").output("out", ElementType.INT64));
        add(
                "Shape: part",
                atOpset(15, 2, 3, 4).node("Shape", "x", "out", "start", -2).output("out", ElementType.INT64));
        add(
                "Flatten as exporters write it",
                on(2, 3, 4, 5)
                        .constant("zero", TensorData.ofLongs(ElementType.INT64, new long[1]))
                        .longs("rest", -1)
                        .longs("axes", 0)
                        .node("Shape", "x", "shape")
                        .node("Gather", "shape zero", "batch")
                        .node("Unsqueeze", "batch axes", "row")
                        .node("Concat", "row rest", "target", "axis", 0)
                        .node("Reshape", "x target", "out"));
    }

    private void indices() {
        add("Gather", on(4, 3, 2).longs("i", 2, 0, -1).node("Gather", "x i", "out"));
        add("Gather: axis", on(2, 4, 3).longs("i", 2, 0).node("Gather", "x i", "out", "axis", 1));
        add(
                "Gather: matrix of indices",
                on(2, 4, 3)
                        .constant("i", TensorData.ofLongs(ElementType.INT64, of(0, 1, 2, 2), 2, 2))
                        .node("Gather", "x i", "out", "axis", -1));
        add(
                "Gather: scalar",
                on(2, 4, 3)
                        .constant("i", TensorData.ofLongs(ElementType.INT64, of(-2)))
                        .node("Gather", "x i", "out", "axis", 1));
        slice("plain", of(1, 0), of(3, 2), null, null);
        slice("axes and steps", of(-3, 1), of(1000, -1), of(-1, 0), of(2, 1));
        slice("backwards", of(-1), of(-1000), of(1), of(-2));
        slice("backwards, bounded", of(3), of(0), of(2), of(-1));
    }

    private void slice(String name, long[] starts, long[] ends, long[] axes, long[] steps) {
        GraphBuilder graph = on(4, 5, 6).longs("starts", starts).longs("ends", ends);
        if (axes == null) {
            add("Slice: " + name, graph.node("Slice", "x starts ends", "out"));
        } else {
            add(
                    "Slice: " + name,
                    graph.longs("axes", axes).longs("steps", steps).node("Slice", "x starts ends axes steps", "out"));
        }
    }

    private void reductions() {
        add("ReduceMean", on(2, 3, 4, 5).node("ReduceMean", "x", "out", "axes", of(2, 3)));
        add("ReduceMean: one axis", on(2, 3, 4).node("ReduceMean", "x", "out", "axes", of(-1), "keepdims", 0));
        add("ReduceMean: all", on(2, 3).node("ReduceMean", "x", "out", "keepdims", 0));
        add("ReduceMean: axes input", atOpset(18, 2, 3, 4).longs("a", 1, 2).node("ReduceMean", "x a", "out"));
        add("ReduceSum", on(2, 3, 4).longs("a", 0, -1).node("ReduceSum", "x a", "out", "keepdims", 0));
        add("ReduceSum: nothing", on(2, 3).longs("a").node("ReduceSum", "x a", "out", "noop_with_empty_axes", 1));
    }
}
