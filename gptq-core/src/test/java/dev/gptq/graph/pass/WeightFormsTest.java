package dev.gptq.graph.pass;

import dev.gptq.config.PreparationConfig;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxReader;
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

/** Kernels are found wherever exporters put them. */
class WeightFormsTest {
    private static final TensorData KERNEL = Models.random(1, 4, 3, 3, 3);

    static Stream<Arguments> forms() {
        double[] wide = new double[KERNEL.size()];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = KERNEL.floats()[i];
        }
        GraphBuilder shared = images().constant("w", Models.random(2, 3, 3, 3, 3))
                .node("Conv", "x w", "c", "pads", new long[] {1, 1, 1, 1})
                .node("Conv", "c w", "out");
        GraphBuilder channelsLast = new GraphBuilder(13)
                .input("x", -1, 8, 8, 3)
                .constant("w", KERNEL)
                .node("Transpose", "x", "t", "perm", new long[] {0, 3, 1, 2})
                .node("Conv", "t w", "c")
                .node("Transpose", "c", "out", "perm", new long[] {0, 2, 3, 1});
        return Stream.of(
                Arguments.of(
                        "a Constant node",
                        1,
                        images().node("Constant", "", "w", "value", KERNEL).node("Conv", "x w", "out")),
                Arguments.of(
                        "Identity",
                        1,
                        images().constant("k", KERNEL)
                                .node("Identity", "k", "w")
                                .node("Conv", "x w", "out")),
                Arguments.of(
                        "Reshape",
                        1,
                        images().constant("k", KERNEL.reshape(4, 27))
                                .longs("s", 4, 3, 3, 3)
                                .node("Reshape", "k s", "w")
                                .node("Conv", "x w", "out")),
                Arguments.of(
                        "Transpose",
                        1,
                        images().constant("k", Models.random(3, 3, 3, 3, 4))
                                .node("Transpose", "k", "w", "perm", new long[] {3, 2, 0, 1})
                                .node("Conv", "x w", "out")),
                Arguments.of(
                        "Cast",
                        1,
                        images().constant("k", TensorData.ofDoubles(wide, 4, 3, 3, 3))
                                .node("Cast", "k", "w", "to", ElementType.FLOAT32.onnxCode())
                                .node("Conv", "x w", "out")),
                Arguments.of("one kernel of two layers", 2, shared),
                Arguments.of("channels last", 1, channelsLast),
                Arguments.of("a matrix first", 1, rows().weight("w", 4, 5).node("MatMul", "w x", "out")),
                Arguments.of(
                        "several matrices first", 1, rows().weight("w", 3, 4, 5).node("MatMul", "w x", "out")),
                Arguments.of(
                        "a matrix first, of more dimensions than the input",
                        1,
                        rows().weight("w", 1, 3, 4, 5).node("MatMul", "w x", "out")),
                Arguments.of("several matrices", 1, rows().weight("w", 3, 6, 4).node("MatMul", "x w", "out")),
                Arguments.of(
                        "several matrices and a bias",
                        1,
                        rows().weight("w", 3, 6, 4)
                                .weight("b", 4)
                                .node("MatMul", "x w", "m")
                                .node("Add", "m b", "out")),
                Arguments.of(
                        "a matrix of four dimensions",
                        1,
                        rows().weight("w", 1, 1, 6, 4).node("MatMul", "x w", "out")),
                Arguments.of(
                        "names with odd characters",
                        1,
                        images().constant("w/\u00e4:0\"<\u4e2d>", KERNEL)
                                .node("Conv", "x w/\u00e4:0\"<\u4e2d>", "out")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("forms")
    void theLayerIsFoundAndTheFunctionStaysTheSame(String form, int layers, GraphBuilder builder) {
        byte[] model = OnnxWriter.write(builder.build());
        Graph graph = OnnxReader.read(model, form);
        long[] shape = graph.inputs().get(0).shape().clone();
        shape[0] = 2;
        Map<String, TensorData> input = Map.of("x", Models.random(9, shape));

        Graph prepared = GraphPreparation.prepare(graph, PreparationConfig.defaults());

        assertThat(ComparePoints.of(prepared)).hasSize(layers);
        TensorData expected = OnnxRuntime.run(model, input).get("out");
        Closeness.assertClose(Models.run(prepared, input).get("out"), expected, 1e-4);
        Closeness.assertClose(OnnxRuntime.run(OnnxWriter.write(prepared), input).get("out"), expected, 1e-4);
    }

    @Test
    void leadingOnesStayWhereTheProductGetsItsDimensionsFromThem() {
        byte[] model = OnnxWriter.write(new GraphBuilder(13)
                .input("x", -1, 6)
                .weight("w", 1, 1, 6, 4)
                .node("MatMul", "x w", "out")
                .build());
        Graph prepared = GraphPreparation.prepare(OnnxReader.read(model, "ones"), PreparationConfig.defaults());

        assertThat(Models.run(prepared, Map.of("x", Models.random(9, 2, 6)))
                        .get("out")
                        .shape())
                .containsExactly(1, 1, 2, 4);
    }

    private static GraphBuilder rows() {
        return new GraphBuilder(13).input("x", -1, 3, 5, 6);
    }

    private static GraphBuilder images() {
        return new GraphBuilder(13).input("x", -1, 3, 8, 8);
    }
}
