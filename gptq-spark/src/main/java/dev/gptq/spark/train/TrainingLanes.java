package dev.gptq.spark.train;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.hessian.LossWeights;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.train.GradientComputer;
import dev.gptq.train.LaneGradient;
import dev.gptq.train.MicroBatch;
import dev.gptq.train.StepBatches;
import dev.gptq.train.StudentParameters;
import java.io.Serializable;
import org.apache.spark.broadcast.Broadcast;

/** Computes lanes in tasks: the same for every exchange. */
record TrainingLanes(Broadcast<Context> context) implements Serializable {
    /** What stays the same over all steps. */
    record Context(TrainingFolders folders, QuantizationPlan plan, GradientPTQConfig config, LossWeights weights)
            implements Serializable {}

    /** The gradient of one lane, on the device of the calling task. */
    LaneGradient compute(ExecutorModels.Lease models, StudentParameters parameters, StepBatches batches, int lane) {
        MicroBatch batch =
                MicroBatch.of(batches, lane, context.value().folders().open(models));
        return computer(models).compute(parameters, batch);
    }

    private GradientComputer computer(ExecutorModels.Lease models) {
        Context shared = context.value();
        return models.get(
                "gradient " + context.id(),
                GradientComputer.class,
                () -> new GradientComputer(models.floatModel(), shared.plan(), shared.config(), shared.weights()));
    }
}
