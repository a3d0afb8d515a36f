package dev.gptq.spark.train;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.calibrate.StartingKernels;
import dev.gptq.config.RunConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.graph.Graph;
import dev.gptq.hessian.LossWeights;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.train.BatchSchedule;
import dev.gptq.train.GradientExchange;
import dev.gptq.train.LaneGradient;
import dev.gptq.train.LogFunction;
import dev.gptq.train.LossLimit;
import dev.gptq.train.RoundingTrainer;
import dev.gptq.train.RoundingTrainer.StepResult;
import dev.gptq.train.StepBatches;
import dev.gptq.train.TrainerState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.spark.broadcast.Broadcast;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Learns the rounding: the loop around the distributed gradient, on the driver or in segments on executors, with checkpoints.
 */
public final class TrainingStage {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingStage.class);

    private final BlockJob job;
    private final RunFiles files;
    private final RunConfig config;
    private final Map<String, String> inputs;
    private final BiConsumer<StepResult, double[]> progress;
    private final Consumer<String> warnings;
    private BiConsumer<Integer, Supplier<TrainerState>> checkpointed = (step, state) -> {};

    /**
     * @param job names the calibration store
     * @param files the run directory, which may hold checkpoints of the same run
     * @param inputs identifies what the training is given: names and hashes, kept in checkpoints
     * @param progress hears of each step after it is done, and each layer's part of its distillation loss in the order of the
     *     plan, empty where the loss does not tell them
     */
    public TrainingStage(
            BlockJob job,
            RunFiles files,
            RunConfig config,
            Map<String, String> inputs,
            BiConsumer<StepResult, double[]> progress,
            Consumer<String> warnings) {
        this.job = job;
        this.files = files;
        this.config = config;
        this.inputs = new TreeMap<>(inputs);
        this.progress = progress;
        this.warnings = warnings;
    }

    /** {@code listener} hears of each checkpoint: steps done, and the state, which is read or copied when it is asked for. */
    public void onCheckpoint(BiConsumer<Integer, Supplier<TrainerState>> listener) {
        this.checkpointed = listener;
    }

    /**
     * What training gave.
     *
     * @param layers after training
     * @param history the numbers of every step, also of those before a resume
     * @param exchange how gradients met and why, for people
     */
    public record Result(List<QuantizedLayer> layers, List<StepResult> history, String exchange) {}

    /** Steps of a whole training over {@code samples} samples. */
    public static int totalSteps(long samples, RunConfig config) {
        return BatchSchedule.of(samples, config).totalSteps();
    }

    /** Trains from the newest checkpoint, or from the start. */
    public Result run(Graph prepared, QuantizationPlan plan, LossWeights weights, TrainingFolders folders) {
        BatchSchedule schedule = BatchSchedule.of(job.samples(), config);
        inputs.put("number of steps", String.valueOf(schedule.totalSteps()));
        ExchangeChoice choice = ExchangeChoice.of(config.training(), job.spark().sc(), BarrierTraining.slots(job));
        LOG.info("Gradients meet by {}.", choice.describe());
        RoundingTrainer.requireTrainable(plan, config.gptq());
        CheckpointStore checkpoints =
                new CheckpointStore(files, config.training().checkpointsKept(), inputs);
        List<StepResult> history = new ArrayList<>();
        RoundingTrainer trainer;
        try {
            if (choice.isBarrier()) {
                checkpoints.newest(warnings).ifPresent(checkpoint -> history.addAll(checkpoint.history()));
                trainBySegments(plan, weights, folders, schedule, checkpoints, history);
                // Not before: it is as large as what executors train, which in a local run are in this JVM. No trainer
                // of
                // them hears a whole step, so the log function is called apart from them.
                trainer = new RoundingTrainer(
                        prepared, plan, config.gptq(), weights, schedule.totalSteps(), 0, Integer.MAX_VALUE);
                checkpoints.newest(warnings).ifPresent(checkpoint -> trainer.restore(checkpoint.state()));
            } else {
                trainer = new RoundingTrainer(prepared, plan, config.gptq(), weights, schedule.totalSteps());
                checkpoints.newest(warnings).ifPresent(checkpoint -> {
                    trainer.restore(checkpoint.state());
                    history.addAll(checkpoint.history());
                });
                trainByJobs(trainer, plan, weights, folders, schedule, checkpoints, history);
            }
        } catch (GptqException e) {
            throw e.code() == ErrorCode.DIVERGED ? diverged(e, checkpoints, history.size()) : e;
        }
        if (trainer.step() != schedule.totalSteps()) {
            throw GptqException.io(
                    null,
                    "Cannot finish training: the checkpoint of step %d in '%s' is missing or damaged. Check the storage and"
                            + " start again.",
                    schedule.totalSteps(),
                    files.root());
        }
        return new Result(trainer.quantizedLayers(), List.copyOf(history), choice.describe());
    }

    /** A checkpoint at the step whose loss was bad holds what made it bad: only those before are good. */
    private GptqException diverged(GptqException cause, CheckpointStore checkpoints, int step) {
        checkpoints.deleteFrom(step);
        String kept = checkpoints
                .newest(warnings)
                .map(checkpoint -> " The checkpoint of step %d is kept in '%s'."
                        .formatted(checkpoint.state().step(), files.root()))
                .orElse("");
        return new GptqException(ErrorCode.DIVERGED, cause.getMessage() + kept, cause);
    }

    /** The step that the next checkpoint is due at. */
    private int segmentEnd(int step, BatchSchedule schedule) {
        int interval = config.training().checkpointInterval();
        return (int) Math.min(schedule.totalSteps(), (step / interval + 1L) * interval);
    }

    private void trainByJobs(
            RoundingTrainer trainer,
            QuantizationPlan plan,
            LossWeights weights,
            TrainingFolders folders,
            BatchSchedule schedule,
            CheckpointStore checkpoints,
            List<StepResult> history) {
        try (GradientExchange exchange =
                new JobGradientExchange(job, folders, plan.withStarts(StartingKernels.NONE), config.gptq(), weights)) {
            while (trainer.step() < schedule.totalSteps()) {
                StepBatches batches = schedule.step(trainer.step());
                LaneGradient gradient = exchange.exchange(trainer.parameters(), batches);
                StepResult result = trainer.update(gradient);
                double limit = LossLimit.of(history, config.training().divergenceFactor());
                trainer.requireBelow(limit, result, trainer.parameters().values());
                history.add(result);
                if (trainer.step() == segmentEnd(result.step(), schedule)) {
                    checkpoints.write(new Checkpoint(trainer.state(), history));
                    checkpointed.accept(trainer.step(), trainer::state);
                }
                progress.accept(result, LaneGradient.layers(gradient.losses()));
            }
        }
    }

    private void trainBySegments(
            QuantizationPlan plan,
            LossWeights weights,
            TrainingFolders folders,
            BatchSchedule schedule,
            CheckpointStore checkpoints,
            List<StepResult> history) {
        TrainingConfig training = config.training();
        String logFunction = config.gptq().logFunction();
        BarrierTraining barrier = new BarrierTraining(
                job,
                training.lanes(),
                training.exchangeTimeout(),
                history,
                progress,
                warnings,
                logFunction == null ? null : LogFunction.of(logFunction),
                files::requireChangeable);
        Broadcast<TrainingLanes.Context> context =
                job.spark().broadcast(new TrainingLanes.Context(folders, plan, config.gptq(), weights));
        try (StepReports reports = new StepReports(job.spark().sc().env().rpcEnv())) {
            while (history.size() < schedule.totalSteps()) {
                Segment segment = new Segment(
                        job.model(),
                        new TrainingLanes(context),
                        schedule,
                        new Segment.Checkpoints(files.root(), training.checkpointsKept(), inputs),
                        history.size(),
                        segmentEnd(history.size(), schedule),
                        training.exchangeTimeout(),
                        training.divergenceFactor(),
                        reports.name(),
                        logFunction != null);
                barrier.run(segment, reports);
                checkpointed.accept(
                        segment.end(),
                        () -> checkpoints.newest(warnings).orElseThrow().state());
            }
        } finally {
            context.destroy();
        }
    }
}
