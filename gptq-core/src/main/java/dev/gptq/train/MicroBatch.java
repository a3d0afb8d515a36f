package dev.gptq.train;

import dev.gptq.graph.SampleBatch;
import java.io.Serializable;

/**
 * What one lane computes in one step.
 *
 * @param samples the lane's samples
 * @param sampleWeights [sample][compare point] for sample-layer attention, else null
 * @param attentionDenominator over the global batch; 1 without attention
 * @param teacherEnergies by compare point, the teacher's sum of squares over the global batch; null when the loss reads none
 * @param globalBatchSize samples of the whole step
 */
public record MicroBatch(
        SampleBatch samples,
        float[][] sampleWeights,
        double attentionDenominator,
        double[] teacherEnergies,
        int globalBatchSize)
        implements Serializable {
    /**
     * The inputs of a lane: its own samples and weights, and the sums over all lanes of the step. A function of its
     * arguments, which any executor can evaluate by itself; sums are taken in lane order.
     */
    public static MicroBatch of(StepBatches step, int lane, TrainingData data) {
        StepBatches.Range range = step.lanes().get(lane);
        return new MicroBatch(
                data.samples(range),
                data.attention(range),
                attentionDenominator(step, data),
                teacherEnergies(step, data),
                step.globalBatchSize());
    }

    /** max_l mean_b A[b,l] over the global batch; one without attention, and where all weights are zero. */
    private static double attentionDenominator(StepBatches step, TrainingData data) {
        double[] sums = null;
        for (StepBatches.Range range : step.lanes()) {
            float[][] weights = data.attention(range);
            if (weights == null) {
                return 1;
            }
            sums = sums == null ? new double[weights[0].length] : sums;
            for (float[] sample : weights) {
                for (int layer = 0; layer < sums.length; layer++) {
                    sums[layer] += sample[layer];
                }
            }
        }
        double largest = 0;
        for (double sum : sums) {
            largest = Math.max(largest, sum / step.globalBatchSize());
        }
        return largest > 0 ? largest : 1;
    }

    private static double[] teacherEnergies(StepBatches step, TrainingData data) {
        double[] sums = null;
        for (StepBatches.Range range : step.lanes()) {
            double[] energies = data.teacherEnergies(range);
            if (energies == null) {
                return null;
            }
            sums = sums == null ? new double[energies.length] : sums;
            for (int layer = 0; layer < sums.length; layer++) {
                sums[layer] += energies[layer];
            }
        }
        return sums;
    }
}
