package dev.gptq.spark.train;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.config.RunConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.graph.Graph;
import dev.gptq.hessian.LossWeights;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.train.BatchSchedule;
import dev.gptq.train.GradientExchange;
import dev.gptq.train.RoundingTrainer;
import dev.gptq.train.RoundingTrainer.StepResult;
import dev.gptq.train.StepBatches;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Learns the rounding: the loop on the driver around the distributed gradient, with checkpoints. */
public final class TrainingStage {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingStage.class);

    private final BlockJob job;
    private final RunFiles files;
    private final RunConfig config;
    private final Map<String, String> inputs;
    private final Consumer<StepResult> progress;
    private final Consumer<String> warnings;

    /**
     * @param job names the calibration store
     * @param files the run directory, which may hold checkpoints of the same run
     * @param inputs identifies what the training is given: names and hashes, kept in checkpoints
     * @param progress hears of each step after it is done
     */
    public TrainingStage(
            BlockJob job,
            RunFiles files,
            RunConfig config,
            Map<String, String> inputs,
            Consumer<StepResult> progress,
            Consumer<String> warnings) {
        this.job = job;
        this.files = files;
        this.config = config;
        this.inputs = new TreeMap<>(inputs);
        this.progress = progress;
        this.warnings = warnings;
    }

    /** The layers after training, and the numbers of every step, also of those before a resume. */
    public record Result(List<QuantizedLayer> layers, List<StepResult> history) {}

    /** Steps of a whole training over {@code samples} samples. */
    public static int totalSteps(long samples, RunConfig config) {
        return BatchSchedule.of(samples, config).totalSteps();
    }

    /** Trains from the newest checkpoint, or from the start. */
    public Result run(Graph prepared, QuantizationPlan plan, LossWeights weights, TrainingFolders folders) {
        BatchSchedule schedule = BatchSchedule.of(job.samples(), config);
        RoundingTrainer trainer = new RoundingTrainer(prepared, plan, config.gptq(), weights, schedule.totalSteps());
        inputs.put("number of steps", String.valueOf(schedule.totalSteps()));
        CheckpointStore checkpoints =
                new CheckpointStore(files, config.training().checkpointsKept(), inputs);
        List<StepResult> history = new ArrayList<>();
        checkpoints.newest(warnings).ifPresent(checkpoint -> {
            trainer.restore(checkpoint.state());
            history.addAll(checkpoint.history());
        });
        LOG.info(
                "Gradients meet by exchange 'job' ({}).",
                config.training().exchange().equals(TrainingConfig.AUTO)
                        ? "auto: one Spark job per step runs on any cluster, also while it grows and shrinks"
                        : "as configured");
        try (GradientExchange exchange = new JobGradientExchange(job, folders, plan, config.gptq(), weights)) {
            while (trainer.step() < schedule.totalSteps()) {
                StepBatches batches = schedule.step(trainer.step());
                StepResult result = trainer.update(exchange.exchange(trainer.parameters(), batches));
                history.add(result);
                int done = trainer.step();
                if (done % config.training().checkpointInterval() == 0 || done == schedule.totalSteps()) {
                    checkpoints.write(new Checkpoint(trainer.state(), history));
                }
                progress.accept(result);
            }
        }
        return new Result(trainer.quantizedLayers(), List.copyOf(history));
    }
}
