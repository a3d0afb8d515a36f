package dev.gptq.compensate;

import ai.djl.Device;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class KernelGroupTest {
    private static final double DAMPING = 0.01;
    private static final int TOKENS = 6;
    private static final int WIDTH = 8;

    @Test
    void productsThatReadTheSameTensorAreOneGroup() {
        assertThat(names(attention("query", "key", "value"))).containsExactly(List.of("query", "key", "value"));
        assertThat(names(new GraphBuilder(13)
                        .input("x", -1, WIDTH)
                        .weight("a", WIDTH, 3)
                        .weight("b", 4, WIDTH)
                        .weight("c", 3, 2)
                        .node("MatMul", "x a", "h")
                        .node("Gemm", "x b", "y", "transB", 1)
                        .node("MatMul", "h c", "z")
                        .output("y", ElementType.FLOAT32)
                        .output("z", ElementType.FLOAT32)
                        .build()))
                .containsExactly(List.of("a", "b"), List.of("c"));
    }

    @Test
    void convolutionsAreOneGroupWhereTheirPatchesAreTheSame() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 4, 9, 9)
                .weight("a", 5, 4, 3, 3)
                .weight("wide", 5, 4, 3, 5)
                .weight("b", 2, 4, 3, 3)
                .weight("padded", 2, 4, 3, 3)
                .weight("grouped", 2, 2, 3, 3)
                .node("Conv", "x a", "1", "strides", new long[] {2, 2})
                .node("Conv", "x wide", "2", "strides", new long[] {2, 2})
                .node("Conv", "x b", "3", "strides", new long[] {2, 2})
                .node("Conv", "x padded", "4", "strides", new long[] {2, 2}, "pads", new long[] {1, 1, 1, 1})
                .node("Conv", "x grouped", "5", "strides", new long[] {2, 2}, "group", 2)
                .build();

        assertThat(names(graph))
                .containsExactly(List.of("a", "b"), List.of("wide"), List.of("padded"), List.of("grouped"));
    }

    @Test
    void kernelsOfAGroupStartAsEachWouldAlone() {
        Graph together = attention("query", "key", "value");

        Map<String, TensorData> starts = starts(together);

        assertThat(starts).containsOnlyKeys("query", "key", "value");
        starts.forEach((name, start) -> assertThat(start.floats())
                .isEqualTo(starts(attention(name)).get(name).floats())
                .isNotEqualTo(together.constants().get(name).floats()));
    }

    private static Graph attention(String... kernels) {
        GraphBuilder graph = new GraphBuilder(13).input("x", -1, TOKENS, WIDTH).node("Relu", "x", "rows");
        for (String kernel : kernels) {
            graph.weight(kernel, WIDTH, 5)
                    .node("MatMul", "rows " + kernel, kernel + ".y")
                    .output(kernel + ".y", ElementType.FLOAT32);
        }
        return graph.build();
    }

    private static List<List<String>> names(Graph graph) {
        return KernelGroup.of(graph, ComparePoints.of(graph)).stream()
                .map(group -> group.kernels().stream().map(KernelMatrix::name).toList())
                .toList();
    }

    private static Map<String, TensorData> starts(Graph graph) {
        Stream<WeightQuantizer> weights = ComparePoints.of(graph).stream()
                .map(point -> new WeightQuantizer(
                        point, QuantizationMethod.SYMMETRIC, 3, -1, new double[] {2}, null, null, null));
        QuantizationPlan plan = new QuantizationPlan(weights.toList(), List.of());
        List<KernelGroup> groups = KernelGroup.of(graph, plan.points());
        assertThat(groups).hasSize(1);
        SampleBatch block = new SampleBatch(0, 4, Map.of("x", Models.random(1, 4, TOKENS, WIDTH)), null);
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                InputMomentsCollector collector = new InputMomentsCollector(executor, plan, groups)) {
            float[] moments = collector.collect(block).sums().get(groups.get(0).name());
            return ErrorCompensation.starts(graph, plan, groups.get(0), moments, DAMPING);
        }
    }
}
