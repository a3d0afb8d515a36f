package dev.gptq.spark.run;

import dev.gptq.calibrate.BlockStatistics;
import dev.gptq.calibrate.LayerSettings;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.SecondMomentCorrection;
import dev.gptq.calibrate.StatisticsCorrections;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.hessian.WeightHessian;
import dev.gptq.spark.calibrate.CalibrateStage;
import dev.gptq.spark.calibrate.SecondMomentStage;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.hessian.WeightHessianStage;
import dev.gptq.spark.task.BlockJob;
import java.util.List;
import java.util.Map;

/** Activation statistics and the plan that follows from them. */
final class CalibrateWork implements StageWork {
    @Override
    public Stage stage() {
        return Stage.CALIBRATE;
    }

    @Override
    public void run(RunContext context, RunState state) {
        RunFiles files = context.files();
        StageClock clock = context.clock();
        long samples = state.samples.samples();
        boolean planned = files.exists(RunDirectory.PLAN);
        List<ComparePoint> hessianPoints = planned
                ? List.of()
                : LayerSettings.of(context.prepared(), context.config().quantization())
                        .hessianPoints();
        long hessianSamples = hessianPoints.isEmpty() ? 0 : Math.min(samples, WeightHessian.SAMPLES);
        SmoothingWork smoothing = SmoothingWork.of(context, samples);
        long blocks = context.calibrationJob(samples, CalibrateStage.BLOCK_SIZE).blocks();
        clock.start(StageClock.CALIBRATE, smoothing.blocks() + blocks + hessianSamples);
        int smoothed = smoothing.run(done -> clock.advanced(done, ""));
        // Of the smoothed graph.
        BlockJob job = context.calibrationJob(samples, CalibrateStage.BLOCK_SIZE);
        boolean reused = files.exists(RunDirectory.STATISTICS);
        if (!reused) {
            BlockStatistics collected = CalibrateStage.run(job, done -> clock.advanced(smoothing.blocks() + done, ""));
            files.writeText(RunDirectory.STATISTICS, collected.toJson());
        }
        Map<String, float[]> hessians = hessianPoints.isEmpty()
                ? Map.of()
                : WeightHessianStage.run(
                        context.calibrationJob(hessianSamples, 1),
                        hessianPoints,
                        context.config().seed(),
                        done -> clock.advanced(smoothing.blocks() + blocks + done, ""));
        QuantizationConfig config = context.config().quantization();
        boolean choosesBits = config.mixedPrecision() != null;
        if (choosesBits) {
            clock.finish("%d samples%s", samples, reused ? ", reused" : "");
            config = MixedPrecisionWork.choose(context, samples, hessians);
        }
        if (!planned) {
            files.writeText(
                    RunDirectory.PLAN, plan(context, config, samples, hessians).toJson());
        }
        QuantizationPlan plan =
                QuantizationPlan.fromJson(files.readText(RunDirectory.PLAN)).withPlaces(context.places());
        if (!choosesBits) {
            clock.finish(
                    "%d layers, %d activation tensors%s%s",
                    plan.weights().size(),
                    plan.activations().size(),
                    smoothed > 0 ? ", " + smoothed + " of them smoothed" : "",
                    reused ? ", reused" : "");
        }
        state.plan = plan;
    }

    private static QuantizationPlan plan(
            RunContext context, QuantizationConfig config, long samples, Map<String, float[]> hessians) {
        // From the file in every case, so that a resumed run cannot differ.
        BlockStatistics statistics = BlockStatistics.fromJson(context.files().readText(RunDirectory.STATISTICS));
        QuantizationPlan built = PlanBuilder.build(context.prepared(), statistics, config, hessians);
        QuantizationPlan adjusted = StatisticsCorrections.apply(context.prepared(), statistics, built, config);
        return correctMoments(context, adjusted, samples);
    }

    /** The plan with the second-moment correction, where it is asked for and there is anything to correct. */
    private static QuantizationPlan correctMoments(RunContext context, QuantizationPlan plan, long samples) {
        if (!context.config().quantization().preparation().weightsSecondMomentCorrection()) {
            return plan;
        }
        context.correct(plan);
        if (!SecondMomentCorrection.isPossible(context.corrected(), plan)) {
            context.clock()
                    .listener()
                    .warning("No layer has a folded BatchNormalization and thresholds of its own to scale:"
                            + " weights_second_moment_correction changes nothing.");
            return plan;
        }
        BlockJob job = context.correctedJob(RunDirectory.CALIBRATION_SAMPLES, samples, CalibrateStage.BLOCK_SIZE);
        return SecondMomentCorrection.apply(context.corrected(), plan, SecondMomentStage.run(job, plan));
    }
}
