package dev.gptq.spark.compensate;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.StartingKernels;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.spark.PreparedSamples;
import dev.gptq.spark.TestModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class CompensationStageTest {
    @TempDir
    private Path folder;

    @Test
    void kernelsHaveTheSameBitsForAnyNumberOfTasksAndPasses() {
        PreparedSamples samples = PreparedSamples.in(folder);
        QuantizationPlan plan = plan(samples.prepared());
        List<Long> progress = new ArrayList<>();

        StartingKernels together =
                CompensationStage.run(samples.job(CompensationStage.BLOCK_SIZE, 1), plan, 0.01, 1L << 24, done -> {});
        StartingKernels apart =
                CompensationStage.run(samples.job(CompensationStage.BLOCK_SIZE, 5), plan, 0.01, 1, progress::add);

        assertThat(together.byWeight()).hasSize(TestModel.LAYERS.size());
        assertThat(apart.byWeight().keySet()).isEqualTo(together.byWeight().keySet());
        together.byWeight()
                .forEach((name, kernel) -> assertThat(apart.byWeight().get(name).floats())
                        .isEqualTo(kernel.floats())
                        .isNotEqualTo(samples.prepared().constants().get(name).floats()));
        // One pass over nine blocks for each kernel.
        assertThat(progress).endsWith(3L * 9).isSorted();
    }

    @Test
    void kernelsThatReadTheSameRowsTakeOnePass() {
        Graph graph = TestModel.graph();
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        constants.put("w4", constants.get("w3"));
        List<Node> nodes = new ArrayList<>(graph.nodes());
        Node last = nodes.remove(nodes.size() - 1);
        nodes.add(last.withOutputs(List.of("one")));
        nodes.add(new Node("others", "Gemm", List.of("f", "w4"), List.of("other"), last.attributes()));
        nodes.add(new Node("both", "Add", List.of("one", "other"), List.of("output"), Map.of()));
        PreparedSamples samples =
                PreparedSamples.in(folder, graph.withConstants(constants).withNodes(nodes));
        List<Long> progress = new ArrayList<>();

        StartingKernels starts = CompensationStage.run(
                samples.job(CompensationStage.BLOCK_SIZE, 3), plan(samples.prepared()), 0.01, 1, progress::add);

        assertThat(starts.byWeight()).hasSize(4);
        assertThat(starts.byWeight().get("w4").floats())
                .isEqualTo(starts.byWeight().get("w3").floats());
        assertThat(progress).endsWith(3L * 9);
    }

    private static QuantizationPlan plan(Graph graph) {
        List<WeightQuantizer> weights = new ArrayList<>();
        for (ComparePoint point : ComparePoints.of(graph)) {
            TensorData kernel = graph.constants().get(point.weight());
            double[] thresholds = new double[(int) kernel.shape()[0]];
            Arrays.fill(thresholds, 1);
            weights.add(new WeightQuantizer(point, QuantizationMethod.SYMMETRIC, 3, 0, thresholds, null, null, null));
        }
        return new QuantizationPlan(weights, List.of());
    }
}
