package dev.gptq.jobs.tracking;

import dev.gptq.config.RunConfig;
import dev.gptq.report.RunMetrics;
import dev.gptq.train.RoundingTrainer.StepResult;
import java.util.Map;

/** Where the numbers of a run go. Calls come one at a time. */
interface Tracker {
    /** For messages: "TensorBoard". */
    String name();

    /** A run begins, or goes on. */
    void start(String runId, RunConfig config);

    /** A training step is done; {@code rates} are the learning rates it was done with, by what they train. */
    void step(StepResult result, Map<String, Double> rates);

    /** Each layer's part of a step's distillation loss, by layer; told after the step, unless the loss does not tell. */
    void layers(int step, Map<String, Double> losses);

    /** Where rounding stands after {@code step} steps, by layer. */
    void rounding(int step, Map<String, float[]> values);

    /** What quantization cost; {@code step} steps were done. */
    void metrics(int step, RunMetrics metrics);

    /** The run is over. */
    void end(boolean succeeded);
}
