package dev.gptq.export;

import dev.gptq.graph.TensorData;
import dev.gptq.testing.Decomposed;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Graphs of operators that ONNX Runtime has integer kernels for, if quantizers stand around them. */
final class PatternCases {
    static final long[] ONES = {1, 1, 1, 1};

    private PatternCases() {}

    /** Name, graph, its input x, quantized tensors, integer kernels. */
    static Stream<Arguments> all() {
        return Stream.concat(Stream.concat(convolutional(), linear()), operators());
    }

    private static Stream<Arguments> convolutional() {
        return Stream.of(
                image("Conv, Relu", conv("c").node("Relu", "c", "f"), "x f out", "QLinearConv=2"),
                image(
                        "Conv, Clip",
                        conv("c").scalar("l", 0).scalar("h", 6).node("Clip", "c l h", "f"),
                        "x f out",
                        "QLinearConv=2"),
                image(
                        "Conv, LeakyRelu",
                        conv("c").node("LeakyRelu", "c", "f"),
                        "x c f out",
                        "QLinearConv=2 QLinearLeakyRelu=1"),
                image(
                        "Conv, Sigmoid",
                        conv("c").node("Sigmoid", "c", "f"),
                        "x c f out",
                        "QLinearConv=2 QLinearSigmoid=1"),
                image("Conv, Tanh", conv("c").node("Tanh", "c", "f"), "x c f out", "QLinearConv=2"),
                image("Conv, HardSwish", on14("c").node("HardSwish", "c", "f"), "x c f out", "QLinearConv=2"),
                image(
                        "hard-swish 1",
                        Decomposed.HARD_SWISH_OF_HARD_SIGMOID.addTo(conv("c"), "c", "f"),
                        "x c f out",
                        "QLinearConv=2"),
                image(
                        "hard-swish 2",
                        Decomposed.HARD_SWISH_OF_CLIP.addTo(conv("c"), "c", "f"),
                        "x c f out",
                        "QLinearConv=2"),
                image("swish", Decomposed.SWISH.addTo(conv("c"), "c", "f"), "x c f out", "QLinearConv=2"),
                image("GELU", Decomposed.GELU_OF_ERF.addTo(conv("c"), "c", "f"), "x c f out", "QLinearConv=2"),
                image(
                        "residual",
                        conv("c")
                                .node("Relu", "c", "r")
                                .weight("w3", 4, 4, 3, 3)
                                .node("Conv", "r w3", "d", "pads", ONES)
                                .weight("w4", 4, 3, 1, 1)
                                .node("Conv", "x w4", "e")
                                .node("Add", "d e", "s")
                                .node("Relu", "s", "f"),
                        "x r d e f out",
                        "QLinearConv=4 QLinearAdd=1"),
                image(
                        "SE, Sigmoid",
                        gate(conv("c"), (b, x, y) -> b.node("Sigmoid", x, y)),
                        "x c p r e g f out",
                        "QLinearConv=4 QLinearGlobalAveragePool=1 QLinearSigmoid=1 QLinearMul=1"),
                image(
                        "SE, hard-sigmoid",
                        gate(conv("c"), Decomposed.HARD_SIGMOID_OF_CLIP),
                        "x c p r e g f out",
                        "QLinearConv=4 QLinearGlobalAveragePool=1 QLinearMul=1"),
                image(
                        "SE, HardSigmoid",
                        gate(conv("c"), (b, x, y) -> b.node("HardSigmoid", x, y)),
                        "x c p r e g f out",
                        "QLinearConv=4 QLinearGlobalAveragePool=1 QLinearMul=1"),
                image(
                        "Concat",
                        conv("c")
                                .weight("w3", 4, 4, 1, 1)
                                .node("Conv", "c w3", "d")
                                .node("Concat", "c d", "k", "axis", 1)
                                .longs("start", 2)
                                .longs("end", 6)
                                .longs("axis", 1)
                                .node("Slice", "k start end axis", "f"),
                        "x c d k out",
                        "QLinearConv=3 QLinearConcat=1"),
                image(
                        "MaxPool",
                        conv("c").node("MaxPool", "c", "f", "kernel_shape", new long[] {2, 2}),
                        "x c out",
                        "QLinearConv=2 MaxPool=1"),
                image(
                        "AveragePool",
                        conv("c").node("AveragePool", "c", "f", "kernel_shape", new long[] {2, 2}),
                        "x c f out",
                        "QLinearConv=2 QLinearAveragePool=1"),
                image(
                        "nearest Resize",
                        conv("c")
                                .constant("z", TensorData.ofFloats(new float[] {1, 1, 2, 2}, 4))
                                .node(
                                        "Resize",
                                        "c - z",
                                        "f",
                                        "mode",
                                        "nearest",
                                        "coordinate_transformation_mode",
                                        "asymmetric",
                                        "nearest_mode",
                                        "floor"),
                        "x c out",
                        "QLinearConv=2 Resize=1"),
                image(
                        "linear Resize",
                        conv("c")
                                .constant("z", TensorData.ofFloats(new float[] {1, 1, 2, 2}, 4))
                                .node("Resize", "c - z", "f", "mode", "linear"),
                        "x c f out",
                        "QLinearConv=2 Resize=1"),
                image(
                        "Where",
                        conv("c")
                                .weight("w3", 4, 3, 1, 1)
                                .node("Conv", "x w3", "d")
                                .scalar("zero", 0)
                                .node("Greater", "c zero", "g")
                                .node("Where", "g c d", "f"),
                        "x c d f out",
                        "QLinearConv=3 QLinearWhere=1"),
                image(
                        "SE, spatial mean",
                        gate(conv("c"), "ReduceMean", (b, x, y) -> b.node("Sigmoid", x, y)),
                        "x c p r e g f out",
                        "QLinearConv=4 QLinearGlobalAveragePool=1 QLinearSigmoid=1 QLinearMul=1"),
                image(
                        "Split",
                        conv("c")
                                .longs("half", 2, 2)
                                .node("Split", "c half", "p q", "axis", 1)
                                .node("Concat", "q p", "f", "axis", 1),
                        "x c f out",
                        "QLinearConv=2 QLinearConcat=1"),
                image(
                        "ConvTranspose",
                        conv("c")
                                .weight("t", 4, 4, 2, 2)
                                .node("ConvTranspose", "c t", "d")
                                .node("Sigmoid", "d", "f"),
                        "x c f out",
                        "QLinearConv=2 ConvTranspose=1 Sigmoid=1"));
    }

    private static Stream<Arguments> linear() {
        return Stream.of(
                rows(
                        "MatMul, bias, GELU of Erf",
                        Decomposed.GELU_OF_ERF.addTo(matMul("m"), "m", "f"),
                        "x f out",
                        "MatMulIntegerToFloat=1 QLinearMatMul=1"),
                rows(
                        "MatMul, bias, GELU of Tanh",
                        Decomposed.GELU_OF_TANH.addTo(matMul("m"), "m", "f"),
                        "x f out",
                        "MatMulIntegerToFloat=1 QLinearMatMul=1"),
                rows(
                        "MatMul, bias, Relu",
                        matMul("m").node("Relu", "m", "f"),
                        "x f out",
                        "MatMulIntegerToFloat=1 QLinearMatMul=1"),
                rows(
                        "kernel of three dimensions",
                        matMul("m")
                                .longs("heads", 1)
                                .node("Unsqueeze", "m heads", "u")
                                .weight("k", 3, 6, 6)
                                .node("MatMul", "u k", "f"),
                        "x m f out",
                        "QLinearMatMul=2 MatMulIntegerToFloat=1 MatMul=0"),
                rows(
                        "kernel of three dimensions, of which the first is 1",
                        matMul("m").weight("k", 1, 6, 6).node("MatMul", "m k", "f"),
                        "x m f out",
                        "QLinearMatMul=2 MatMulIntegerToFloat=1 MatMul=0"),
                rows(
                        "constant first operand",
                        matMul("m").weight("k", 5, 5).node("MatMul", "k m", "f"),
                        "x m f.transposed out",
                        "QLinearMatMul=2 MatMulIntegerToFloat=1 MatMul=0"),
                rows(
                        "residual stream",
                        Decomposed.layerNorm(6).addTo(matMul("m").node("Add", "m x", "s"), "s", "f"),
                        "x f out",
                        "MatMulIntegerToFloat=1 QLinearMatMul=1"),
                rows(
                        "residual stream from norm to norm",
                        Decomposed.layerNorm(6)
                                .addTo(
                                        Decomposed.layerNorm(6)
                                                .addTo(matMul("m"), "m", "n")
                                                .weight("w3", 6, 9)
                                                .weight("b3", 9)
                                                .weight("w4", 9, 6)
                                                .node("MatMul", "n w3", "p")
                                                .node("Add", "p b3", "q")
                                                .node("Relu", "q", "r")
                                                .node("MatMul", "r w4", "d")
                                                .node("Add", "d n", "s"),
                                        "s",
                                        "f"),
                        "x n/integer r f out",
                        "MatMulIntegerToFloat=3 QLinearMatMul=1"));
    }

    private static Stream<Arguments> operators() {
        return Stream.of(
                Arguments.of(
                        "attention",
                        attention().build(),
                        Models.random(9, 4, 5, 6),
                        "x h k u p weights z out",
                        "QLinearMatMul=6 Softmax=1"),
                Arguments.of(
                        "Gemm, Relu, Gemm, Softmax",
                        new GraphBuilder(13)
                                .input("x", -1, 6)
                                .weight("w", 6, 8)
                                .weight("b", 8)
                                .weight("v", 8, 4)
                                .node("Gemm", "x w b", "g")
                                .node("Relu", "g", "r")
                                .node("Gemm", "r v", "l")
                                .node("Softmax", "l", "out")
                                .build(),
                        Models.random(9, 16, 6),
                        "x r l out",
                        "QGemm=2 QLinearSoftmax=1"),
                Arguments.of(
                        "spatial mean without its dimensions",
                        conv("c")
                                .node("ReduceMean", "c", "m", "axes", new long[] {-1, 2}, "keepdims", 0)
                                .weight("w", 4, 5)
                                .weight("b", 5)
                                .node("Gemm", "m w b", "out")
                                .build(),
                        Models.random(9, 16, 3, 8, 8),
                        "x c m.pooled out",
                        "QLinearConv=1 QLinearGlobalAveragePool=1 QGemm=1"),
                Arguments.of(
                        "Conv1d",
                        new GraphBuilder(13)
                                .input("x", -1, 3, 12)
                                .weight("w", 4, 3, 3)
                                .node("Conv", "x w", "out")
                                .build(),
                        Models.random(9, 4, 3, 12),
                        "x out",
                        "QLinearConv=1"),
                Arguments.of(
                        "Conv3d",
                        new GraphBuilder(13)
                                .input("x", -1, 2, 5, 5, 5)
                                .weight("w", 4, 2, 3, 3, 3)
                                .node("Conv", "x w", "out")
                                .build(),
                        Models.random(9, 4, 2, 5, 5, 5),
                        "x out",
                        "QLinearConv=1"));
    }

    /** One head: queries, keys and values, scale, a mask from the input's last column, an output projection. */
    private static GraphBuilder attention() {
        return new GraphBuilder(13)
                .input("x", -1, 5, 6)
                .weight("wq", 6, 6)
                .weight("wk", 6, 6)
                .weight("wv", 6, 6)
                .weight("wo", 6, 6)
                .weight("mask", 5, 5)
                .scalar("root", 2.4494898f)
                .node("MatMul", "x wq", "h")
                .node("MatMul", "x wk", "k")
                .node("MatMul", "x wv", "u")
                .node("Transpose", "k", "kt", "perm", new long[] {0, 2, 1})
                .node("MatMul", "h kt", "p")
                .node("Div", "p root", "scaled")
                .node("Add", "scaled mask", "masked")
                .node("Softmax", "masked", "weights")
                .node("MatMul", "weights u", "z")
                .node("MatMul", "z wo", "out");
    }

    private static Arguments image(String name, GraphBuilder builder, String tensors, String kernels) {
        return Arguments.of(
                name,
                builder.weight("w2", 3, 4, 3, 3)
                        .node("Conv", "f w2", "out", "pads", ONES)
                        .build(),
                Models.random(9, 4, 3, 8, 8),
                tensors,
                kernels);
    }

    private static Arguments rows(String name, GraphBuilder builder, String tensors, String kernels) {
        return Arguments.of(
                name,
                builder.weight("w2", 6, 6).node("MatMul", "f w2", "out").build(),
                Models.random(9, 4, 5, 6),
                tensors,
                kernels);
    }

    /** A convolution of the input x. */
    static GraphBuilder conv(String output) {
        return conv(13, output);
    }

    private static GraphBuilder on14(String output) {
        return conv(14, output);
    }

    private static GraphBuilder conv(int opset, String output) {
        return new GraphBuilder(opset)
                .input("x", -1, 3, 8, 8)
                .weight("w1", 4, 3, 3, 3)
                .node("Conv", "x w1", output, "pads", ONES);
    }

    /** A linear layer with a bias, of the input x. */
    static GraphBuilder matMul(String output) {
        return new GraphBuilder(13)
                .input("x", -1, 5, 6)
                .weight("w1", 6, 6)
                .weight("b1", 6)
                .node("MatMul", "x w1", output + "_product")
                .node("Add", output + "_product b1", output);
    }

    private static GraphBuilder gate(GraphBuilder builder, Decomposed.Form sigmoid) {
        return gate(builder, "GlobalAveragePool", sigmoid);
    }

    private static GraphBuilder gate(GraphBuilder builder, String pool, Decomposed.Form sigmoid) {
        Object[] axes = pool.equals("ReduceMean") ? new Object[] {"axes", new long[] {2, 3}} : new Object[0];
        builder.weight("s1", 2, 4, 1, 1)
                .weight("s2", 4, 2, 1, 1)
                .node(pool, "c", "p", axes)
                .node("Conv", "p s1", "q")
                .node("Relu", "q", "r")
                .node("Conv", "r s2", "e");
        return sigmoid.addTo(builder, "e", "g").node("Mul", "g c", "f");
    }
}
