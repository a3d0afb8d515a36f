package dev.gptq.spark.hessian;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.spark.PreparedSamples;
import dev.gptq.spark.TestModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class WeightHessianStageTest {
    @TempDir
    private Path folder;

    @Test
    void hessiansHaveTheSameBitsForAnyNumberOfTasks() {
        PreparedSamples samples = PreparedSamples.in(folder);
        List<ComparePoint> points = ComparePoints.of(samples.prepared());

        Map<String, float[]> alone = WeightHessianStage.run(samples.job(1, 1), points, 0, done -> {});
        Map<String, float[]> apart = WeightHessianStage.run(samples.job(1, 5), points, 0, done -> {});

        assertThat(alone).containsOnlyKeys(TestModel.LAYERS);
        for (String layer : TestModel.LAYERS) {
            assertThat(apart.get(layer)).isEqualTo(alone.get(layer));
        }
    }
}
