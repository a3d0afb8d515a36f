package dev.gptq.train;

import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.TrainingConfig;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * Which micro-batches form which step. Samples [0, n) are cut into fixed micro-batches of batchSize / lanes. Shuffled, each
 * epoch visits them in an order that is a function of (seed, epoch); else in theirs. Only the last step of an epoch may be
 * smaller: it holds what is left, with the ragged micro-batch at its end. A step costs the same however many there are.
 */
public final class BatchSchedule implements Serializable {
    private static final long serialVersionUID = 1;

    /** Sets this use of the seed apart from others. */
    private static final long PURPOSE = 0x6261746368L;

    private final long samples;
    private final int microBatchSize;
    private final int lanes;
    private final int microBatches;
    private final int epochs;
    private final long seed;
    private final boolean shuffled;

    /** {@code shuffled}: whether each epoch has an order of its own. */
    public BatchSchedule(long samples, TrainingConfig config, int epochs, long seed, boolean shuffled) {
        this.samples = samples;
        this.lanes = config.lanes();
        this.microBatchSize = microBatchSize(config);
        this.microBatches = Math.toIntExact((samples + microBatchSize - 1) / microBatchSize);
        this.epochs = epochs;
        this.seed = seed;
        this.shuffled = shuffled;
    }

    /** The schedule of a run over {@code samples} samples. */
    public static BatchSchedule of(long samples, RunConfig config) {
        GPTQHessianScoresConfig hessian = config.gptq().hessianWeightsConfig();
        Boolean shuffle = config.training().shuffle();
        return new BatchSchedule(
                samples,
                config.training(),
                config.gptq().nEpochs(),
                config.seed(),
                shuffle == null ? hessian != null && hessian.perSample() : shuffle);
    }

    /** A schedule that visits the samples in their order in every epoch. */
    public static BatchSchedule inOrder(long samples, TrainingConfig config, int epochs) {
        return new BatchSchedule(samples, config, epochs, 0, false);
    }

    /** Samples of a full micro-batch. */
    public static int microBatchSize(TrainingConfig config) {
        return config.batchSize() / config.lanes();
    }

    public int stepsPerEpoch() {
        return (microBatches + lanes - 1) / lanes;
    }

    public int totalSteps() {
        return Math.multiplyExact(stepsPerEpoch(), epochs);
    }

    /** The step's micro-batches; {@code step} counts from 0 over all epochs. */
    public StepBatches step(int step) {
        // One that is not full stays last.
        long full = samples / microBatchSize;
        Permutation order = new Permutation(full, epochKey(step / stepsPerEpoch()));
        int begin = step % stepsPerEpoch() * lanes;
        List<StepBatches.Range> ranges = new ArrayList<>();
        for (int i = begin; i < Math.min(begin + lanes, microBatches); i++) {
            long first = (shuffled && i < full ? order.at(i) : i) * microBatchSize;
            ranges.add(new StepBatches.Range(first, (int) Math.min(microBatchSize, samples - first)));
        }
        return new StepBatches(step, ranges);
    }

    private long epochKey(int epoch) {
        return Permutation.mix(Permutation.mix(seed ^ PURPOSE) + epoch);
    }
}
