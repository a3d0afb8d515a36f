package dev.gptq.spark.run;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.StartingKernels;
import dev.gptq.config.ErrorCompensationConfig;
import dev.gptq.spark.compensate.CompensationStage;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.task.BlockJob;

/** Rounds kernels with error compensation before training, where the configuration asks for it. */
final class CompensationWork {
    private CompensationWork() {}

    /** The plan with the kernels that training starts from; {@code plan} itself where it starts from the float ones. */
    static QuantizationPlan start(RunContext context, QuantizationPlan plan, long samples) {
        ErrorCompensationConfig config = context.config().gptq().errorCompensationConfig();
        if (config == null) {
            return plan;
        }
        RunFiles files = context.files();
        StageClock clock = context.clock();
        long measured = Math.min(samples, config.numSamples());
        BlockJob job = context.correctedJob(RunDirectory.CALIBRATION_SAMPLES, measured, CompensationStage.BLOCK_SIZE);
        int passes =
                CompensationStage.passes(context.corrected(), plan.points()).size();
        clock.start(StageClock.COMPENSATE, passes * job.blocks(), 0);
        boolean reused = StartingKernelsStore.isThere(files);
        if (!reused) {
            StartingKernelsStore.write(
                    files, CompensationStage.run(job, plan, config.damping(), done -> clock.advanced(done, "")));
        }
        StartingKernels starts = StartingKernelsStore.read(files, context.corrected());
        clock.finish(
                "%d of %d kernels%s", starts.byWeight().size(), plan.weights().size(), reused ? ", reused" : "");
        return plan.withStarts(starts);
    }
}
