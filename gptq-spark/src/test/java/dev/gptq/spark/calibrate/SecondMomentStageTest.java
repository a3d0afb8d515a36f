package dev.gptq.spark.calibrate;

import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.SecondMomentCorrection;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.Graph;
import dev.gptq.graph.OutputMoments;
import dev.gptq.spark.PreparedSamples;
import dev.gptq.spark.TestSpark;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.SharedModel;
import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.util.SerializableConfiguration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class SecondMomentStageTest {
    @TempDir
    private static Path folder;

    @Test
    void theCorrectedPlanHasTheSameBitsForAnyNumberOfTasks() {
        PreparedSamples samples = PreparedSamples.in(folder);
        double[] means = {0.1, 0.2, -0.1, 0, 0.3, 1};
        double[] deviations = {1, 0.5, 0.7, 1.2, 0.9, 2};
        Graph graph = samples.prepared()
                .withMoments(
                        Map.of("c1", new OutputMoments(means, deviations), "c2", new OutputMoments(deviations, means)));
        QuantizationPlan plan = PlanBuilder.build(
                graph, CalibrateStage.run(samples.job(8, 2), done -> {}), QuantizationConfig.defaults());
        BlockJob job = samples.job(8, 1);
        SharedModel shared = new SharedModel(
                "moments",
                graph,
                job.model().value().devices(),
                new SerializableConfiguration(TestSpark.context().hadoopConfiguration()));
        var model = TestSpark.context().broadcast(shared);
        String[] plans = new String[4];
        for (int tasks = 1; tasks <= plans.length; tasks++) {
            BlockJob cut = new BlockJob(job.spark(), model, job.store(), job.samples(), 8, tasks);
            plans[tasks - 1] = SecondMomentCorrection.apply(graph, plan, SecondMomentStage.run(cut, plan))
                    .toJson();
        }
        assertThat(plans).containsOnly(plans[0]);
        assertThat(plans[0]).contains("kernel_factor");
    }
}
