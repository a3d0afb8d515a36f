package dev.gptq.spark.run;

/**
 * What one stage does: it takes what earlier stages left in the state or in the run directory, reuses what a former run of
 * the same has written already, and leaves its own results in both. {@link PipelineRun} lists the stages in their order.
 */
interface StageWork {
    /** The stage that this belongs to; a stage may have several works, one after the other. */
    Stage stage();

    /** Does the work. */
    void run(RunContext context, RunState state);
}
