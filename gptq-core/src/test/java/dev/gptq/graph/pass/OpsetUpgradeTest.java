package dev.gptq.graph.pass;

import dev.gptq.config.PreparationConfig;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.Closeness;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.testing.OnnxRuntime;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

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
                Arguments.of(
                        "Dropout",
                        on(9).node("Dropout", "x", "d", "ratio", 0.5f).node("Relu", "d", "out")),
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

    @Test
    void laterOpsetsStay() {
        Graph graph = on(17).node("Relu", "x", "out").build();

        assertThat(OpsetUpgrade.apply(graph)).isSameAs(graph);
    }

    private static GraphBuilder on(int opset) {
        return new GraphBuilder(opset).input("x", 2, 3, 4);
    }

    private static long[] of(long... values) {
        return values;
    }
}
