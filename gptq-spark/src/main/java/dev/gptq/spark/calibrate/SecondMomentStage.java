package dev.gptq.spark.calibrate;

import dev.gptq.calibrate.LayerMoments;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.SecondMomentCollector;
import dev.gptq.graph.SampleBatch;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.BlockTask;
import dev.gptq.spark.task.ExecutorModels;

/** Moments of layer outputs with rounded kernels, over the whole calibration dataset. */
public final class SecondMomentStage {
    private SecondMomentStage() {}

    /** {@code job} is on the graph that the plan is for. */
    public static LayerMoments run(BlockJob job, QuantizationPlan plan) {
        return job.fold(new Measure(plan), "calibrate", done -> {});
    }

    private record Measure(QuantizationPlan plan) implements BlockTask<LayerMoments> {
        @Override
        public LayerMoments map(ExecutorModels.Lease models, SampleBatch block) {
            return models.get(
                            "second moments",
                            SecondMomentCollector.class,
                            () -> new SecondMomentCollector(models.floatModel(), plan))
                    .collect(block);
        }

        @Override
        public LayerMoments merge(LayerMoments earlier, LayerMoments later) {
            return earlier.merge(later);
        }
    }
}
