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
    @ValueSource(strings = {"m1_bn", "m1_folded", "m2_bn"})
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

    private static Graph prepared(String name) {
        return GraphPreparation.prepare(OnnxReader.read(Models.bytes(name), name), PreparationConfig.defaults());
    }
}
