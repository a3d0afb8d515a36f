package dev.gptq.spark.run;

import dev.gptq.calibrate.LeftInFloat;
import dev.gptq.config.RunConfig;
import dev.gptq.evaluate.BlockMetrics;
import dev.gptq.report.MetricsFile;
import dev.gptq.report.ReportDetails;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.evaluate.EvaluateStage;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.train.RoundingTrainer.StepResult;
import java.util.List;
import java.util.Map;

/** The float model and the two quantized ones side by side, on the evaluation dataset where there is one. */
final class EvaluateWork implements StageWork {
    @Override
    public Stage stage() {
        return Stage.EVALUATE;
    }

    @Override
    public void run(RunContext context, RunState state) {
        StageClock clock = context.clock();
        boolean ownDataset = state.evaluated != null;
        RunConfig config = context.config();
        String folder = ownDataset ? RunDirectory.EVALUATION_SAMPLES : RunDirectory.CALIBRATION_SAMPLES;
        BlockJob job = context.correctedJob(
                folder, ownDataset ? state.evaluated.samples() : state.samples.samples(), EvaluateStage.BLOCK_SIZE);
        clock.start(StageClock.EVALUATE, job.blocks(), EvaluateStage.BLOCK_SIZE);
        boolean askedFor = context.last() == Stage.EVALUATE;
        if (!askedFor && !state.newModels && context.files().exists(RunDirectory.METRICS)) {
            state.metrics = MetricsFile.fromJson(context.files().readText(RunDirectory.METRICS));
            clock.finish("reused");
            return;
        }
        BlockMetrics sums = EvaluateStage.run(job, state.models, done -> clock.advanced(done, ""));
        clock.finish("%d samples of the %s dataset", job.samples(), ownDataset ? "evaluation" : "calibration");
        RunMetrics metrics = MetricsFile.build(
                sums,
                state.plan,
                LeftInFloat.of(context.corrected(), state.plan),
                state.weights,
                clock.timing(),
                training(state.history),
                Map.of(
                        "float", context.model().bytes(),
                        "ptq", state.models.ptqModel().bytes(),
                        "gptq", state.models.gptqModel().bytes()));
        state.metrics = metrics.withMixedPrecision(MixedPrecisionWork.read(context.files()))
                .withData(DataCounts.of(context.config(), state.samples, state.evaluated));
        clock.listener().evaluated(state.metrics);
        String warning = TrainingGain.warning(state.metrics);
        if (warning != null) {
            clock.listener().warning(warning);
        }
        ReportDetails details = DetailsWork.of(
                context, state, ownDataset ? config.evaluation() : config.calibration(), folder, sums.worst());
        context.directory().reopen();
        context.files().writeText(RunDirectory.DETAILS, details.toJson());
        context.files().writeText(RunDirectory.METRICS, MetricsFile.toJson(state.metrics));
    }

    private static RunMetrics.Training training(List<StepResult> history) {
        return new RunMetrics.Training(
                history.size(),
                history.stream().mapToDouble(StepResult::loss).toArray(),
                history.stream().mapToDouble(StepResult::distillationLoss).toArray(),
                history.stream().mapToDouble(StepResult::regularization).toArray());
    }
}
