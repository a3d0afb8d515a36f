package dev.gptq.spark.run;

import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.train.TeacherEnergyStage;
import dev.gptq.spark.train.TrainingFolders;
import dev.gptq.spark.train.TrainingStage;
import dev.gptq.train.BatchSchedule;
import dev.gptq.train.DistillationLosses;
import dev.gptq.train.RoundingTrainer.StepResult;
import dev.gptq.train.RoundingValues;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Learns the rounding; from here on stages see the graph that the plan is for. */
final class TrainWork implements StageWork {
    @Override
    public Stage stage() {
        return Stage.TRAIN;
    }

    @Override
    public void run(RunContext context, RunState state) {
        context.correct(state.plan);
        state.ptqLayers = PlanBuilder.roundToNearest(context.corrected(), state.plan);
        QuantizationPlan start = CompensationWork.start(context, state.plan, state.samples.samples());
        if (context.config().gptq().nEpochs() > 0) {
            train(context, state, start);
        } else {
            state.layers =
                    start == state.plan ? state.ptqLayers : PlanBuilder.roundToNearest(context.corrected(), start);
        }
    }

    private static void train(RunContext context, RunState state, QuantizationPlan start) {
        RunConfig config = context.config();
        StageClock clock = context.clock();
        long samples = state.samples.samples();
        int steps = TrainingStage.totalSteps(samples, config);
        clock.start(StageClock.TRAIN, steps, config.training().batchSize());
        TrainingFolders folders = folders(context, state);
        TrainingStage stage = new TrainingStage(
                context.correctedJob(
                        RunDirectory.CALIBRATION_SAMPLES,
                        samples,
                        config.training().batchSize()),
                context.files(),
                config,
                TrainingInputs.of(context.directory(), context.model(), state.weights),
                (step, layers) -> {
                    clock.advanced(step.step() + 1L, String.format(Locale.ROOT, "loss %.5g", step.loss()));
                    clock.listener().stepDone(step, steps);
                    if (layers.length > 0) {
                        clock.listener().layersDone(step.step(), byName(state.plan, layers));
                    }
                },
                clock.listener()::warning);
        stage.onCheckpoint((step, trained) -> clock.listener()
                .checkpointWritten(
                        step, () -> RoundingValues.of(context.corrected(), state.plan, config.gptq(), trained.get())));
        TrainingStage.Result result = stage.run(context.corrected(), start, state.weights, folders);
        List<StepResult> history = result.history();
        clock.finish(
                "%d steps, loss %.5g to %.5g, %s",
                history.size(),
                history.get(0).loss(),
                history.get(history.size() - 1).loss(),
                result.exchange());
        state.layers = result.layers();
        state.history = history;
    }

    private static Map<String, Double> byName(QuantizationPlan plan, double[] layers) {
        Map<String, Double> named = new LinkedHashMap<>();
        for (int layer = 0; layer < layers.length; layer++) {
            named.put(plan.weights().get(layer).point().name(), layers[layer]);
        }
        return named;
    }

    /** Where lanes read; the teacher's energies are computed here when the loss reads them. */
    private static TrainingFolders folders(RunContext context, RunState state) {
        RunConfig config = context.config();
        RunFiles files = context.files();
        long samples = state.samples.samples();
        GPTQHessianScoresConfig scores = config.gptq().hessianWeightsConfig();
        int microBatchSize = BatchSchedule.microBatchSize(config.training());
        String energies = null;
        if (!context.isTrained() && DistillationLosses.of(config.gptq().loss()).readsTeacherEnergies()) {
            energies = files.path(RunDirectory.TEACHER_ENERGIES);
            TeacherEnergyStage.run(
                    context.correctedJob(RunDirectory.CALIBRATION_SAMPLES, samples, microBatchSize),
                    state.plan,
                    energies,
                    done -> context.clock().advanced(0, done + " of " + samples + " samples through the float model"));
        }
        return new TrainingFolders(
                files.path(RunDirectory.CALIBRATION_SAMPLES),
                scores != null && scores.perSample() ? files.path(RunDirectory.SCORES) : null,
                energies,
                microBatchSize);
    }
}
