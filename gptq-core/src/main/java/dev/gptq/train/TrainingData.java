package dev.gptq.train;

import dev.gptq.graph.SampleBatch;

/**
 * What training reads of a range of samples. A function of the range alone, so that any JVM can evaluate any step's inputs;
 * may be called from several threads at once.
 */
public interface TrainingData {
    /** The samples themselves. */
    SampleBatch samples(StepBatches.Range range);

    /** Sample-layer attention [sample][compare point]; null when the loss weighs layers only. */
    float[][] attention(StepBatches.Range range);

    /**
     * By compare point, the sum of squares of the teacher's outputs over one of the schedule's micro-batches; null when the
     * loss does not {@linkplain DistillationLoss#readsTeacherEnergies read them}.
     */
    double[] teacherEnergies(StepBatches.Range microBatch);
}
