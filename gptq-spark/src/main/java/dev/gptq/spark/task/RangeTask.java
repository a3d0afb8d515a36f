package dev.gptq.spark.task;

import java.io.Serializable;

/** What a stage computes for one block of sample indices, and how the results of neighbouring blocks become one. */
public interface RangeTask<T> extends Serializable {
    /** The result of samples [first, first + size): a function of the range, the models and the configuration only. */
    T map(ExecutorModels.Lease models, long first, int size);

    /** One result for both; {@code earlier} covers the blocks before {@code later}'s. */
    T merge(T earlier, T later);

    /** Whether the task computes on the run's devices; else its stage asks for no GPU. */
    default boolean usesDevice() {
        return false;
    }
}
