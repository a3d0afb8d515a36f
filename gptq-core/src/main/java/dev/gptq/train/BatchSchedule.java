package dev.gptq.train;

import dev.gptq.config.TrainingConfig;
import dev.gptq.hessian.LossWeights;

/**
 * Which micro-batches form which step. Samples [0, n) are cut into fixed micro-batches of batchSize / lanes; each epoch
 * visits them in an order that is a function of (seed, epoch). Only the last step of an epoch may be smaller.
 */
public final class BatchSchedule {
    public BatchSchedule(long samples, TrainingConfig config, int epochs, long seed, LossWeights weights) {
        throw new UnsupportedOperationException();
    }

    public int stepsPerEpoch() {
        throw new UnsupportedOperationException();
    }

    public int totalSteps() {
        throw new UnsupportedOperationException();
    }

    public StepBatches step(int step) {
        throw new UnsupportedOperationException();
    }
}
