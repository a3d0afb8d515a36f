package dev.gptq.spark.compensate;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.StartingKernels;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.spark.PreparedSamples;
import dev.gptq.spark.TestModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class CompensationStageTest {
    @TempDir
    private Path folder;

    @Test
    void kernelsHaveTheSameBitsForAnyNumberOfTasksAndGroups() {
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
