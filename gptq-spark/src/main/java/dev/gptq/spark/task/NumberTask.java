package dev.gptq.spark.task;

import dev.gptq.graph.SampleBatch;
import java.io.Serializable;

/** Numbers that a stage computes for one block of samples and that are too many to be sent to the driver. */
@FunctionalInterface
public interface NumberTask extends Serializable {
    /** Rows of numbers, the same number for every sample or for every block. */
    double[][] map(ExecutorModels.Lease models, SampleBatch block);
}
