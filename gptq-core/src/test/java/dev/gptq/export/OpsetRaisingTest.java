package dev.gptq.export;

import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
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

/** A graph and the same graph at a later opset say the same in ONNX Runtime. */
class OpsetRaisingTest {
    private static final int NEWEST = 23;

    static Stream<Arguments> graphs() {
        TensorData grid = Models.random(5, 1, 3, 4, 2);
        return Stream.of(
                Arguments.of("ReduceMax", on(13).node("ReduceMax", "x", "out", "axes", new long[] {1, 3})),
                Arguments.of("ReduceL2, all", on(13).node("ReduceL2", "x", "out")),
                Arguments.of("ReduceSum", on(13).longs("a", 2).node("ReduceSum", "x a", "out")),
                Arguments.of(
                        "Split", on(13).node("Split", "x", "a b", "axis", 3).node("Sub", "a b", "out")),
                Arguments.of("GridSample", on(16).constant("g", grid).node("GridSample", "x g", "out")),
                Arguments.of(
                        "GridSample, bicubic",
                        on(16).constant("g", grid).node("GridSample", "x g", "out", "mode", "bicubic")),
                Arguments.of(
                        "RoiAlign",
                        on(13).constant("r", TensorData.ofFloats(new float[] {0.3f, 0.4f, 3, 4}, 1, 4))
                                .longs("n", 0)
                                .node("RoiAlign", "x r n", "out", "output_height", 3, "output_width", 2)),
                Arguments.of(
                        "DFT",
                        on(17).longs("s", 1, 5, 8, 1)
                                .node("Reshape", "x s", "r")
                                .node("DFT", "r", "out", "axis", 2)),
                Arguments.of("Softmax", on(13).node("Softmax", "x", "out", "axis", 1)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("graphs")
    void theFunctionStaysTheSame(String name, GraphBuilder builder) {
        Graph graph = builder.build();
        Map<String, TensorData> input = Map.of("x", Models.random(7, 1, 2, 5, 4));

        int opset = name.equals("RoiAlign") ? 21 : NEWEST;
        Graph raised = OpsetRaising.raise(graph, opset);

        assertThat(raised.opset()).isEqualTo(opset);
        TensorData expected = OnnxRuntime.run(OnnxWriter.write(graph), input).get("out");
        Closeness.assertClose(OnnxRuntime.run(OnnxWriter.write(raised), input).get("out"), expected, 1e-5);
    }

    @Test
    void changesThatCannotBeMadeAreRefusedWithTheOpsetThatWorks() {
        Subgraph body = new Subgraph(new byte[0], List.of(), Set.of(), Set.of("ReduceMax"));
        Graph branches = on(13).node("If", "x", "out", "then_branch", body, "else_branch", body)
                .build();
        Graph groups = on(18).weight("s", 2)
                .node("GroupNormalization", "x s s", "out", "num_groups", 2)
                .build();

        assertThat(OpsetRaising.raise(branches, 17).opset()).isEqualTo(17);
        assertThatThrownBy(() -> OpsetRaising.raise(branches, 18))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("ReduceMax in node 'out' (If) changed its form after opset 13");
        assertThatThrownBy(() -> OpsetRaising.raise(groups, 21)).hasMessageContaining("Set quantization.opset to 18");
    }

    private static GraphBuilder on(int opset) {
        return new GraphBuilder(opset).input("x", 1, 2, 5, 4);
    }
}
