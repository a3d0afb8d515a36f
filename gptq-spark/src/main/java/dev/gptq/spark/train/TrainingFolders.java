package dev.gptq.spark.train;

import dev.gptq.spark.task.ExecutorModels;
import java.io.Serializable;

/**
 * Where lanes read from. Small and the same over all steps: with it and the schedule any executor can evaluate the inputs of
 * any step ({@link dev.gptq.train.MicroBatch#of}).
 *
 * @param samples the sample store
 * @param attention the table of Hessian scores, one row per sample, or null without sample-layer attention
 * @param energies the table of the teacher's energies, one row per micro-batch, or null when the loss reads none
 * @param microBatchSize samples of a full micro-batch
 */
public record TrainingFolders(String samples, String attention, String energies, int microBatchSize)
        implements Serializable {
    /** What a task reads there. */
    StoredTrainingData open(ExecutorModels.Lease models) {
        return new StoredTrainingData(models, this);
    }
}
