package dev.gptq.config;

import java.util.List;

import static dev.gptq.config.ConfigKey.FLAG;
import static dev.gptq.config.ConfigKey.FROM_ONE;
import static dev.gptq.config.ConfigKey.key;
import static dev.gptq.config.ConfigKey.section;

/** The keys of training, output and the run as a whole. */
final class RunKeys {
    static final List<ConfigKey> ALL = List.of(
            section("training", "The data-parallel loop"),
            key("training.batch_size", FROM_ONE, "Samples per step"),
            key(
                    "training.lanes",
                    "a power of two that divides batch_size",
                    "Parts of a batch whose gradients are computed in parallel; part of the result's identity"),
            key(
                    "training.shuffle",
                    FLAG + ", or null",
                    "Whether each epoch has an order of its own; null: with sample-layer attention only"),
            key("training.checkpoint_interval", FROM_ONE, "Steps between two checkpoints"),
            key("training.checkpoints_kept", FROM_ONE, "Newest checkpoints that stay"),
            key(
                    "training.exchange",
                    String.join(", ", TrainingConfig.EXCHANGES),
                    "How gradients meet; the result is the same. job: one Spark job per step; barrier: tasks that live "
                            + "from checkpoint to checkpoint and exchange gradients directly, for static allocation; "
                            + "auto: barrier where it can be"),
            key(
                    "training.exchange_timeout",
                    FROM_ONE,
                    "Seconds that an executor waits for another one in a step of the barrier exchange"),
            key(
                    "training.divergence_factor",
                    "a number above 1, or null",
                    "How many times the lowest distillation loss of the first steps a loss may be; one above ends the run "
                            + "with status 5 and keeps the last good checkpoint. null: any finite loss"),
            section("output", "The run directory"),
            key("output.path", "a path", "Where everything is written. Required"),
            key("output.overwrite", FLAG, "Whether the results of another run there may be replaced"),
            key(
                    "output.keep_samples",
                    FLAG,
                    "Whether the decoded samples stay in the run directory when the run is complete"),
            key("seed", "a whole number", "Of every random choice"),
            key("device", String.join(", ", RunConfig.DEVICES), "auto: the GPUs that Spark assigned, or the CPU"),
            key(
                    "gpus_per_task",
                    "a number above 0, at most 1",
                    "GPUs that a task of calibration, Hessian scoring or training asks for; 0.5: two tasks share one"),
            key("allow_user_classes", FLAG, "Whether loss, log_function and reader may name classes of your own"),
            section("tracking", "Where numbers go while a run goes on, besides the log"),
            section("tracking.tensorboard", "Event files for TensorBoard"),
            key(
                    "tracking.tensorboard.path",
                    "a path, or null for none",
                    "A folder, on any Hadoop path; the run gets a folder of its own in it"),
            section("tracking.mlflow", "An MLflow tracking server"),
            key("tracking.mlflow.uri", "an http or https address, or null for none", "The server"),
            key("tracking.mlflow.experiment", "text", "The experiment there, created if it does not exist"));

    private RunKeys() {}
}
