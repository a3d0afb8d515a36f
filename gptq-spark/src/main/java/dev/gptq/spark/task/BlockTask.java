package dev.gptq.spark.task;

import dev.gptq.graph.SampleBatch;
import java.io.Serializable;

/** What a stage computes for one block of samples, and how the results of neighbouring blocks become one. */
public interface BlockTask<T> extends Serializable {
    /** The block's result: a function of the samples, the models and the configuration only. */
    T map(ExecutorModels.Lease models, SampleBatch block);

    /** One result for both; {@code earlier} covers the blocks before {@code later}'s. */
    T merge(T earlier, T later);

    /** Whether the task computes on the run's devices; else its stage asks for no GPU. */
    default boolean usesDevice() {
        return true;
    }
}
