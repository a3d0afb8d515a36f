package dev.gptq.graph.pass;

import dev.gptq.config.PreparationConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.testing.Closeness;
import dev.gptq.testing.Models;
import dev.gptq.testing.OnnxRuntime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class GraphPreparationTest {
    private static final double TOLERANCE = 1e-4;

    @ParameterizedTest
    @ValueSource(strings = {"m1_bn", "m1_folded", "m2_bn", "m2_folded"})
    void preparedModelsAnswerLikeOnnxRuntime(String name) {
        byte[] bytes = Models.bytes(name);
        Graph graph = OnnxReader.read(bytes, name);
        Map<String, TensorData> input = Map.of("input", Models.random(1, 5, 1, 28, 28));
        TensorData expected = OnnxRuntime.run(bytes, input).get("logits");

        Closeness.assertClose(Models.run(graph, input).get("logits"), expected, TOLERANCE);
        Graph prepared = GraphPreparation.prepare(graph, PreparationConfig.defaults());
        Closeness.assertClose(Models.run(prepared, input).get("logits"), expected, TOLERANCE);
        assertThat(prepared.nodes()).noneMatch(node -> node.is("BatchNormalization") || node.is("Identity"));
    }

    @Test
    void batchNormOfAModelFoldsToWhatItsExporterFolds() {
        Map<String, TensorData> input = Map.of("input", Models.random(2, 3, 1, 28, 28));
        TensorData ours = Models.run(prepared("m1_bn"), input).get("logits");
        TensorData theirs = Models.run(prepared("m1_folded"), input).get("logits");

        Closeness.assertClose(ours, theirs, TOLERANCE);
    }

    @Test
    void everyLayerOfAPreparedModelIsAComparePointWithItsOwnKernelAndBias() {
        Graph graph = prepared("m2_bn");
        long layers = graph.nodes().stream()
                .filter(node -> node.is("Conv") || node.is("Gemm"))
                .count();

        List<ComparePoint> points = ComparePoints.of(graph);

        assertThat(points).hasSize((int) layers);
        assertThat(points.stream().map(ComparePoint::weight)).doesNotHaveDuplicates();
        assertThat(points.stream().map(ComparePoint::bias))
                .doesNotHaveDuplicates()
                .doesNotContainNull();
        assertThat(points.get(points.size() - 1).output()).isEqualTo("logits");
    }

    @Test
    void rewritesBuildOnEachOther() {
        Graph graph = Preparing.norm(8)
                .input("x", -1, 4, 5, 5)
                .weight("w1", 8, 4, 3, 3)
                .weight("w2", 8, 1, 1, 1)
                .weight("w3", 16, 8, 1, 1)
                .weight("w4", 4, 16, 1, 1)
                .scalar("low", 0)
                .scalar("high", 6)
                .node("Conv", "x w1", "first", "auto_pad", "SAME_UPPER")
                .node("BatchNormalization", "first g b m v", "normalized")
                .node("Clip", "normalized low high", "bounded")
                .node("Conv", "bounded w2", "depthwise", "group", 8)
                .node("Conv", "depthwise w3", "expanded")
                .node("Conv", "expanded w4", "reduced")
                .node("Add", "x reduced", "out")
                .build();

        Graph everything = Preparing.sameFunction(
                graph,
                PreparationConfig.builder().optReluBoundToPowerOfTwo(true).build());

        assertThat(Preparing.types(everything)).containsExactly("Conv", "Clip", "Conv", "Add");
        assertThat(everything
                        .constants()
                        .get(everything.nodes().get(1).input(2))
                        .floats())
                .containsExactly(8);
        assertThat(ComparePoints.of(everything))
                .containsExactly(
                        new ComparePoint("first", "normalized", "w1", "first.bias", 0),
                        new ComparePoint("expanded", "reduced", "w3", "expanded.bias", 0));
    }

    private static Graph prepared(String name) {
        return GraphPreparation.prepare(OnnxReader.read(Models.bytes(name), name), PreparationConfig.defaults());
    }
}
