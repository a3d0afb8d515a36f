package dev.gptq.graph.pass;

import dev.gptq.GptqException;
import dev.gptq.config.PreparationConfig;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.Subgraph;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.Closeness;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.testing.OnnxRuntime;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class OpsetUpgradeTest {
    static Stream<Arguments> oldGraphs() {
        return Stream.of(
                Arguments.of("Clip", on(9).node("Clip", "x", "out", "min", -0.5f, "max", 0.5f)),
                Arguments.of("Clip, one bound", on(9).node("Clip", "x", "out", "min", 0f)),
                Arguments.of("Clip at opset 11", on(11).scalar("lo", 0.1f).node("Clip", "x lo", "out")),
                Arguments.of("Pad", on(9).node("Pad", "x", "out", "pads", of(0, 1, 0, 0, 0, 2), "value", 0.5f)),
                Arguments.of(
                        "Slice",
                        on(9).node("Slice", "x", "out", "starts", of(1, -2), "ends", of(3, 9), "axes", of(1, 2))),
                Arguments.of("Slice, no axes", on(9).node("Slice", "x", "out", "starts", of(0, 1), "ends", of(1, 3))),
                Arguments.of(
                        "Slice at opset 10", on(10).longs("s", 1).longs("e", 2).node("Slice", "x s e", "out")),
                Arguments.of(
                        "Unsqueeze, Squeeze",
                        on(9).node("Unsqueeze", "x", "u", "axes", of(0, 2)).node("Squeeze", "u", "out", "axes", of(2))),
                Arguments.of("ReduceSum", on(11).node("ReduceSum", "x", "out", "axes", of(1, 2), "keepdims", 0)),
                Arguments.of("ReduceSum, all", on(11).node("ReduceSum", "x", "out")),
                Arguments.of("Softmax", on(9).node("Softmax", "x", "out")),
                Arguments.of("Softmax, last axis", on(9).node("Softmax", "x", "out", "axis", 2)),
                Arguments.of("LogSoftmax, axis 0", on(11).node("LogSoftmax", "x", "out", "axis", 0)),
                Arguments.of("Hardmax", on(11).node("Hardmax", "x", "out")),
                Arguments.of("Hardmax, last axis", on(11).node("Hardmax", "x", "out", "axis", 2)),
                Arguments.of(
                        "Split",
                        on(11).node("Split", "x", "a b", "axis", 2, "split", of(1, 3))
                                .node("Concat", "b a", "out", "axis", 2)),
                Arguments.of(
                        "Split, equal parts",
                        on(9).node("Split", "x", "a b", "axis", 2).node("Sub", "a b", "out")),
                Arguments.of("TopK", on(9).node("TopK", "x", "out i", "k", 2)),
                Arguments.of("TopK at opset 10", on(10).longs("k", 2).node("TopK", "x k", "out i", "axis", 1)),
                Arguments.of(
                        "Scatter",
                        on(9).constant("i", TensorData.ofLongs(ElementType.INT64, of(1, 3), 2, 1, 1))
                                .weight("u", 2, 1, 1)
                                .node("Scatter", "x i u", "out", "axis", 2)),
                Arguments.of("Upsample", on(7).node("Upsample", "x", "out", "scales", new float[] {1, 2, 1.5f})),
                Arguments.of(
                        "Upsample at opset 9",
                        on(9).constant("s", scales(1, 1, 2)).node("Upsample", "x s", "out")),
                Arguments.of(
                        "Upsample, linear",
                        on(9).constant("s", scales(1, 1, 1.5f, 2))
                                .node("Unsqueeze", "x", "u", "axes", of(0))
                                .node("Upsample", "u s", "out", "mode", "linear")),
                Arguments.of(
                        "Resize up", on(10).constant("s", scales(1, 2, 1.7f)).node("Resize", "x s", "out")),
                Arguments.of(
                        "Resize down",
                        on(10).constant("s", scales(1, 0.5f, 0.6f)).node("Resize", "x s", "out")),
                Arguments.of(
                        "Resize both ways",
                        on(10).constant("s", scales(1, 0.7f, 2)).node("Resize", "x s", "out")),
                Arguments.of(
                        "BatchNormalization",
                        on(7).weight("g", 3)
                                .weight("b", 3)
                                .weight("m", 3)
                                .constant("v", scales(0.5f, 1, 2))
                                .node("BatchNormalization", "x g b m v", "out", "spatial", 1)),
                Arguments.of(
                        "Dropout",
                        on(9).node("Dropout", "x", "d", "ratio", 0.5f).node("Relu", "d", "out")),
                Arguments.of("Softmax over the last axis of a computed shape", softmaxOfComputedShape()),
                Arguments.of(
                        "exported network",
                        on(9).weight("w", 4, 4)
                                .weight("b", 4)
                                .node("MatMul", "x w", "m")
                                .node("Add", "m b", "a")
                                .node("Clip", "a", "c", "min", 0f, "max", 6f)
                                .node("ReduceMean", "c", "r", "axes", of(1), "keepdims", 0)
                                .node("Softmax", "r", "out", "axis", 1)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("oldGraphs")
    void preparedGraphOfAnOldOpsetAnswersLikeOnnxRuntimeOnTheOldOne(String name, GraphBuilder builder) {
        Graph old = builder.build();
        Map<String, TensorData> input = Map.of("x", Models.random(7, 2, 3, 4));
        TensorData expected = OnnxRuntime.run(OnnxWriter.write(old), input).get("out");

        Graph prepared = GraphPreparation.prepare(old, PreparationConfig.defaults());

        assertThat(prepared.opset()).isEqualTo(13);
        Closeness.assertClose(Models.run(prepared, input).get("out"), expected, 1e-4);
        Closeness.assertClose(OnnxRuntime.run(OnnxWriter.write(prepared), input).get("out"), expected, 1e-4);
    }

    /** As torch exports the heads of an attention: the new shape is put together from dimensions of the old one. */
    private static GraphBuilder softmaxOfComputedShape() {
        return on(11).constant("first", TensorData.ofLongs(ElementType.INT64, new long[] {0}))
                .constant("heads", TensorData.ofLongs(ElementType.INT64, new long[] {2, 2}, 2))
                .constant("rest", TensorData.ofLongs(ElementType.INT64, new long[] {-1}, 1))
                .node("Shape", "x", "shape")
                .node("Gather", "shape first", "batch")
                .node("Unsqueeze", "batch", "begin", "axes", of(0))
                .node("Concat", "begin heads rest", "target", "axis", 0)
                .node("Reshape", "x target", "split")
                .node("Softmax", "split", "out", "axis", 3);
    }

    @Test
    void softmaxOverTheLastAxisOfAComputedShapeStaysOneNode() {
        assertThat(OpsetUpgrade.apply(softmaxOfComputedShape().build()).nodes())
                .extracting(Node::opType)
                .contains("Softmax")
                .doesNotContain("Flatten");
    }

    @Test
    void laterOpsetsStay() {
        Graph graph = on(17).node("Relu", "x", "out").build();

        assertThat(OpsetUpgrade.apply(graph)).isSameAs(graph);
    }

    @Test
    void bodiesThatWouldHaveToBeRewrittenAreRefused() {
        Graph graph = on(11).node("If", "x", "out", "then_branch", body("Squeeze"), "else_branch", body("Relu"))
                .build();

        assertThatThrownBy(() -> OpsetUpgrade.apply(graph))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("the body of 'out' (If) holds [Squeeze]");
    }

    private static Subgraph body(String operator) {
        return new Subgraph(new byte[0], List.of(), Set.of(), Set.of(operator));
    }

    private static TensorData scales(float... values) {
        return TensorData.ofFloats(values, values.length);
    }

    private static GraphBuilder on(int opset) {
        return new GraphBuilder(opset).input("x", 2, 3, 4);
    }

    private static long[] of(long... values) {
        return values;
    }
}
