package dev.gptq.graph.batch;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.PreparationConfig;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.Closeness;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.testing.OnnxRuntime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class FreeBatchTest {
    private static final int PARTS = 5;

    /** Name, a graph with input "x" of a fixed batch size. */
    static Stream<Arguments> models() {
        return Stream.of(
                Arguments.of("Reshape to one row", image(1, "Reshape", "c s", 1, -1)),
                Arguments.of("Reshape to its batch size", image(2, "Reshape", "c s", 2, 20)),
                Arguments.of("Reshape to what is left", image(2, "Reshape", "c s", -1, 20)),
                Arguments.of("Flatten", image(1, "Flatten", "c")),
                Arguments.of("attention", attention(1)),
                Arguments.of("attention of a batch of three", attention(3)),
                Arguments.of("attention with the batch in the second dimension", sequenceFirst(1)),
                Arguments.of("the same with a batch of two", sequenceFirst(2)),
                Arguments.of("class token", classToken(1)),
                Arguments.of("class token for each of two", classToken(2)),
                Arguments.of("operands for each of three", operands(3)),
                Arguments.of("Shape of an input", computedShape()),
                Arguments.of("windows of a computed size", windows()),
                Arguments.of("Resize to sizes", resize()),
                Arguments.of("Slice and Expand", sliceAndExpand()),
                Arguments.of("LSTM with states of zero", lstm(0)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void aModelOfOneBatchSizeAnswersAnyNumberOfSamples(String name, Graph fixed) {
        Graph free = FreeBatch.apply(fixed, "model.onnx");

        assertThat(FreeBatch.fixedInput(free)).isNull();
        assertThat(free.outputs().get(0).shape()[0]).isEqualTo(-1);
        long[] shape = fixed.inputs().get(0).shape().clone();
        int batch = (int) shape[0];
        shape[0] *= PARTS;
        TensorData samples = Models.random(3, shape);
        TensorData together =
                OnnxRuntime.run(OnnxWriter.write(free), Map.of("x", samples)).get("out");
        TensorData prepared = Models.run(
                        GraphPreparation.prepare(free, PreparationConfig.defaults()), Map.of("x", samples))
                .get("out");
        Closeness.assertClose(prepared, together, 1e-5);
        assertThat(together.shape()[0]).isEqualTo((long) PARTS * batch);
        byte[] file = OnnxWriter.write(fixed);
        for (int part = 0; part < PARTS; part++) {
            TensorData alone = OnnxRuntime.run(file, Map.of("x", samples.part(part * batch, batch)))
                    .get("out");
            Closeness.assertClose(together.part(part * batch, batch), alone, 1e-5);
        }
    }

    @Test
    void aDynamicModelStaysAsItIs() {
        Graph graph = OnnxReader.read(Models.bytes("m1_bn"), "m1_bn");
        assertThat(FreeBatch.apply(graph, "m1_bn")).isSameAs(graph);
    }

    /** What is said of a graph that does not treat its samples one by one. */
    static Stream<Arguments> mixing() {
        return Stream.of(
                Arguments.of(
                        dense(2).longs("axis", 0)
                                .node("ReduceSum", "h axis", "sum", "keepdims", 1)
                                .node("Sub", "h sum", "out"),
                        "node 'sum' (ReduceSum) does something else with 2 times as many samples than with each part of"
                                + " them (shape [1, 6], then [1, 6])"),
                Arguments.of(
                        dense(2).longs("s", 3, 4).node("Reshape", "h s", "out"),
                        "2 times as many samples give: Cannot run node 'out' (Reshape)"),
                Arguments.of(
                        // Attention over the first dimension: it is a sequence, no batch.
                        dense(5).node("Transpose", "h", "t", "perm", new long[] {1, 0})
                                .node("MatMul", "h t", "p")
                                .node("Softmax", "p", "q")
                                .node("MatMul", "q h", "out"),
                        "node 'p' (MatMul) does something else"),
                Arguments.of(
                        dense(1).constant("zero", TensorData.ofLongs(ElementType.INT64, new long[] {0}))
                                .node("Gather", "h zero", "g", "axis", 0)
                                .longs("axis", 0)
                                .node("Unsqueeze", "g axis", "out"),
                        "node 'g' (Gather) does something else"),
                Arguments.of(
                        dense(1).longs("axis", 0).node("Squeeze", "h axis", "out"),
                        "4 times as many samples give: Cannot run node 'out' (Squeeze)"),
                Arguments.of(
                        dense(1).node("Transpose", "h", "out", "perm", new long[] {1, 0}),
                        "output 'out' of shape [6, 1] has no row for each sample"),
                Arguments.of(
                        // Its rows differ: no sample is like another.
                        dense(2).weight("c", 2, 6).node("Add", "h c", "out"),
                        "2 times as many samples give: Cannot run node 'out' (Add)"),
                Arguments.of(lstmBuilder(1), "4 times as many samples give: Cannot run node 'y' (LSTM)"),
                Arguments.of(
                        dense(2).input("z", 3, 6).node("MatMul", "z w", "out"),
                        "input 'z' has another one in its shape [3, 6]"));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("mixing")
    void aModelThatMixesItsSamplesIsRefusedAndTheNodeNamed(GraphBuilder builder, String reason) {
        assertThatThrownBy(() -> FreeBatch.apply(builder.build(), "model.onnx"))
                .isInstanceOf(GptqException.class)
                .hasMessageStartingWith("Cannot quantize 'model.onnx': input 'x' has the fixed shape [")
                .hasMessageContaining("], and its first dimension is no batch that could be of any size: " + reason)
                .hasMessageEndingWith(". Export the model with a dynamic batch dimension in front.")
                .extracting(e -> ((GptqException) e).code())
                .isEqualTo(ErrorCode.UNSUPPORTED_MODEL);
    }

    private static GraphBuilder dense(int batch) {
        return new GraphBuilder(13).input("x", batch, 6).weight("w", 6, 6).node("MatMul", "x w", "h");
    }

    private static Graph image(int batch, String operator, String inputs, long... shape) {
        return declared(
                new GraphBuilder(13)
                        .input("x", batch, 3, 4, 4)
                        .weight("w", 5, 3, 3, 3)
                        .weight("v", 20, 6)
                        .node("Conv", "x w", "c")
                        .longs("s", shape)
                        .node(operator, inputs, "r")
                        .node("MatMul", "r v", "out"),
                batch,
                6);
    }

    /** Two heads of three, as traced: every dimension is a number. */
    private static Graph attention(int batch) {
        return declared(
                new GraphBuilder(13)
                        .input("x", batch, 5, 6)
                        .weight("w", 6, 6)
                        .node("MatMul", "x w", "h")
                        .longs("heads", batch, 5, 2, 3)
                        .node("Reshape", "h heads", "a")
                        .node("Transpose", "a", "q", "perm", new long[] {0, 2, 1, 3})
                        .longs("together", batch * 2L, 5, 3)
                        .node("Reshape", "q together", "b")
                        .node("Transpose", "b", "bt", "perm", new long[] {0, 2, 1})
                        .node("MatMul", "b bt", "p")
                        .node("Softmax", "p", "weights")
                        .node("MatMul", "weights b", "z")
                        .longs("apart", batch, 2, -1, 3)
                        .node("Reshape", "z apart", "za")
                        .node("Transpose", "za", "zt", "perm", new long[] {0, 2, 1, 3})
                        .longs("back", batch, -1, 6)
                        .node("Reshape", "zt back", "out"),
                batch,
                5,
                6);
    }

    /** As PyTorch's MultiheadAttention: [sequence, batch, features], and one matrix of all rows for the projection. */
    private static Graph sequenceFirst(int batch) {
        return declared(
                new GraphBuilder(13)
                        .input("x", batch, 5, 6)
                        .weight("w", 6, 6)
                        .weight("v", 6, 6)
                        .weight("bias", 6)
                        .node("Transpose", "x", "s", "perm", new long[] {1, 0, 2})
                        .node("MatMul", "s w", "h")
                        .longs("heads", 5, batch * 2L, 3)
                        .node("Reshape", "h heads", "a")
                        .node("Transpose", "a", "q", "perm", new long[] {1, 0, 2})
                        .node("Transpose", "a", "k", "perm", new long[] {1, 2, 0})
                        .node("MatMul", "q k", "p")
                        .node("Softmax", "p", "weights")
                        .node("MatMul", "weights q", "z")
                        .node("Transpose", "z", "zt", "perm", new long[] {1, 0, 2})
                        .longs("rows", 5L * batch, 6)
                        .node("Reshape", "zt rows", "r")
                        .node("Gemm", "r v bias", "g")
                        .longs("apart", 5, batch, 6)
                        .node("Reshape", "g apart", "o")
                        .node("Transpose", "o", "out", "perm", new long[] {1, 0, 2}),
                batch,
                5,
                6);
    }

    private static Graph classToken(int batch) {
        float[] token = Models.random(4, 6).floats();
        float[] repeated = new float[batch * 6];
        for (int i = 0; i < batch; i++) {
            System.arraycopy(token, 0, repeated, i * 6, 6);
        }
        return declared(
                new GraphBuilder(13)
                        .input("x", batch, 5, 6)
                        .constant("token", TensorData.ofFloats(repeated, batch, 1, 6))
                        .weight("positions", 1, 6, 6)
                        .node("Concat", "token x", "t", "axis", 1)
                        .node("Add", "t positions", "out"),
                batch,
                6,
                6);
    }

    /** Positions, a mask and kernels that are written once for each sample, in the first and in the second dimension. */
    private static Graph operands(int batch) {
        long[] mask = new long[batch * 6];
        Arrays.setAll(mask, i -> i % 6 % 2);
        return declared(
                new GraphBuilder(13)
                        .input("x", batch, 5, 6)
                        .constant("positions", repeated(1, batch, 5 * 6).reshape(batch, 5, 6))
                        .constant("mask", TensorData.ofLongs(ElementType.BOOL, mask, batch, 1, 6))
                        .constant("kernels", repeated(1, batch, 6 * 6).reshape(batch, 6, 6))
                        .constant("second", repeated(5, batch, 6).reshape(5, batch, 6))
                        .node("Add", "positions x", "p")
                        .node("Where", "mask p x", "w")
                        .node("MatMul", "w kernels", "m")
                        .node("Transpose", "m", "t", "perm", new long[] {1, 0, 2})
                        .node("Mul", "t second", "u")
                        .node("Transpose", "u", "out", "perm", new long[] {1, 0, 2}),
                batch,
                5,
                6);
    }

    /** Random rows of that length, each {@code count} times behind one another. */
    private static TensorData repeated(int rows, int count, int length) {
        float[] values = Models.random(7, rows, length).floats();
        float[] repeated = new float[rows * count * length];
        for (int i = 0; i < repeated.length; i++) {
            repeated[i] = values[i / (count * length) * length + i % length];
        }
        return TensorData.ofFloats(repeated, repeated.length);
    }

    private static Graph computedShape() {
        return declared(
                new GraphBuilder(13)
                        .input("x", 1, 5, 6)
                        .node("Shape", "x", "s")
                        .longs("zero", 0)
                        .node("Gather", "s zero", "n")
                        .longs("rest", -1)
                        .node("Concat", "n rest", "target", "axis", 0)
                        .node("Reshape", "x target", "out"),
                1,
                30);
    }

    /** As Swin's window attention is exported: the batch is a constant, sides are divided when the model runs. */
    private static Graph windows() {
        return declared(
                new GraphBuilder(13)
                        .input("x", 1, 4, 6)
                        .node("Shape", "x", "s")
                        .longs("second", 1)
                        .longs("two", 2)
                        .longs("one", 1)
                        .longs("width", 6)
                        .node("Gather", "s second", "side")
                        .node("Div", "side two", "windows")
                        .node("Concat", "one windows two width", "target", "axis", 0)
                        .node("Reshape", "x target", "w")
                        .node("Concat", "one side width", "all", "axis", 0)
                        .node("Softmax", "w", "y", "axis", 2)
                        .node("Reshape", "y all", "e")
                        .node("Expand", "e all", "out"),
                1,
                4,
                6);
    }

    private static Graph resize() {
        return declared(
                new GraphBuilder(13)
                        .input("x", 1, 2, 4, 4)
                        .longs("sizes", 1, 2, 7, 8)
                        .node("Resize", "x - - sizes", "out", "mode", "linear"),
                1,
                2,
                7,
                8);
    }

    private static Graph sliceAndExpand() {
        return declared(
                new GraphBuilder(13)
                        .input("x", 1, 5, 6)
                        .longs("starts", 0, 1)
                        .longs("ends", 1, 2)
                        .longs("axes", 0, 1)
                        .node("Slice", "x starts ends axes", "s")
                        .longs("target", 1, 3, 6)
                        .node("Expand", "s target", "out"),
                1,
                3,
                6);
    }

    private static Graph lstm(float state) {
        return declared(lstmBuilder(state), 1, 5, 3);
    }

    private static GraphBuilder lstmBuilder(float state) {
        TensorData initial = TensorData.ofFloats(new float[] {state, state, state}, 1, 1, 3);
        return new GraphBuilder(13)
                .input("x", 1, 5, 6)
                .node("Transpose", "x", "s", "perm", new long[] {1, 0, 2})
                .weight("w", 1, 12, 6)
                .weight("r", 1, 12, 3)
                .constant("h", initial)
                .constant("c", initial)
                .node("LSTM", "s w r - - h c", "y", "hidden_size", 3)
                .longs("axis", 1)
                .node("Squeeze", "y axis", "q")
                .node("Transpose", "q", "out", "perm", new long[] {1, 0, 2});
    }

    private static Graph declared(GraphBuilder builder, long... shape) {
        Graph graph = builder.build();
        ValueInfo output = new ValueInfo("out", ElementType.FLOAT32, Arrays.copyOf(shape, shape.length));
        return new Graph(
                graph.name(), graph.opset(), graph.inputs(), List.of(output), graph.constants(), graph.nodes());
    }
}
