package dev.gptq.spark.run;

import dev.gptq.config.RunConfig;
import dev.gptq.report.RunMetrics;
import dev.gptq.train.RoundingTrainer.StepResult;
import java.util.Map;
import java.util.function.Supplier;

/** Hears how a run goes on. Called on the driver, one call at a time but not always by one thread; must not block for long. */
public interface ProgressListener {
    /** Hears nothing. */
    ProgressListener NONE = new ProgressListener() {
        @Override
        public void stageStarted(String stage, long totalUnits) {}

        @Override
        public void advanced(String stage, long doneUnits, String detail) {}

        @Override
        public void stageFinished(String stage, double seconds, String summary) {}

        @Override
        public void warning(String line) {}
    };

    /**
     * A stage begins.
     *
     * @param stage prepare, calibrate, hessian, train, export or evaluate
     * @param totalUnits blocks, steps or samples to do, or -1 when that is not known yet
     */
    void stageStarted(String stage, long totalUnits);

    /** The stage has done {@code doneUnits} units so far; {@code detail} is a short text for people and may be empty. */
    void advanced(String stage, long doneUnits, String detail);

    /** The stage is done; {@code summary} is one line for people. */
    void stageFinished(String stage, double seconds, String summary);

    /**
     * A run begins, or goes on, in its directory; not called when there is nothing left to do.
     *
     * @param runId as in logs and Spark's user interface
     */
    default void runStarted(String runId, RunConfig config) {}

    /** A training step is done. */
    default void stepDone(StepResult result, int totalSteps) {}

    /**
     * What layers had to do with the loss of a training step; told after it, unless the loss is a user's, which does not
     * tell.
     *
     * @param losses each layer's part of the distillation loss, by the layer's name; together they are that loss
     */
    default void layersDone(int step, Map<String, Double> losses) {}

    /**
     * A checkpoint is written.
     *
     * @param step steps done
     * @param rounding where the rounding stands, see {@link dev.gptq.train.RoundingValues}; costs time when it is asked for
     */
    default void checkpointWritten(int step, Supplier<Map<String, float[]>> rounding) {}

    /** The models are compared. */
    default void evaluated(RunMetrics metrics) {}

    /** Something a person should know and that does not end the run. */
    void warning(String line);
}
