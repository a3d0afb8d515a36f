package dev.gptq.train;

import dev.gptq.graph.SampleBatch;
import java.io.Serializable;

/**
 * What one lane computes in one step.
 *
 * @param samples the lane's samples
 * @param sampleWeights [sample][compare point] for sample-layer attention, else null
 * @param attentionDenominator over the global batch; 1 without attention
 * @param globalBatchSize samples of the whole step
 */
public record MicroBatch(SampleBatch samples, float[][] sampleWeights, double attentionDenominator, int globalBatchSize)
        implements Serializable {}
