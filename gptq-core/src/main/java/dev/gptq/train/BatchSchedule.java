package dev.gptq.train;

import dev.gptq.config.TrainingConfig;
import dev.gptq.hessian.LossWeights;
import java.util.ArrayList;
import java.util.List;

/**
 * Which micro-batches form which step. Samples [0, n) are cut into fixed micro-batches of batchSize / lanes; each epoch
 * visits them in an order that is a function of (seed, epoch). Only the last step of an epoch may be smaller: it holds what
 * is left, with the ragged micro-batch at its end.
 */
public final class BatchSchedule {
    /** Sets this use of the seed apart from others. */
    private static final long PURPOSE = 0x6261746368L;

    private static final int INDEX_BITS = 31;

    private final long samples;
    private final int microBatchSize;
    private final int lanes;
    private final int microBatches;
    private final int epochs;
    private final long seed;
    private final boolean shuffled;
    private final LossWeights weights;

    /** {@code weights.perSample} gives attention denominators; null weights, or none per sample, give 1. */
    public BatchSchedule(long samples, TrainingConfig config, int epochs, long seed, LossWeights weights) {
        this(samples, config, epochs, seed, weights, true);
    }

    private BatchSchedule(
            long samples, TrainingConfig config, int epochs, long seed, LossWeights weights, boolean shuffled) {
        this.samples = samples;
        this.lanes = config.lanes();
        this.microBatchSize = config.batchSize() / lanes;
        this.microBatches = Math.toIntExact((samples + microBatchSize - 1) / microBatchSize);
        this.epochs = epochs;
        this.seed = seed;
        this.weights = weights;
        this.shuffled = shuffled;
    }

    /** A schedule that visits the samples in their order in every epoch. */
    public static BatchSchedule inOrder(long samples, TrainingConfig config, int epochs, LossWeights weights) {
        return new BatchSchedule(samples, config, epochs, 0, weights, false);
    }

    public int stepsPerEpoch() {
        return (microBatches + lanes - 1) / lanes;
    }

    public int totalSteps() {
        return Math.multiplyExact(stepsPerEpoch(), epochs);
    }

    /** The step's micro-batches; {@code step} counts from 0 over all epochs. */
    public StepBatches step(int step) {
        int[] order = order(step / stepsPerEpoch());
        int begin = step % stepsPerEpoch() * lanes;
        List<StepBatches.Range> ranges = new ArrayList<>();
        for (int i = begin; i < Math.min(begin + lanes, microBatches); i++) {
            long first = (long) order[i] * microBatchSize;
            ranges.add(new StepBatches.Range(first, (int) Math.min(microBatchSize, samples - first)));
        }
        return new StepBatches(step, List.copyOf(ranges), attentionDenominator(ranges));
    }

    /** Fisher-Yates over the full micro-batches; one that is not full stays last. */
    private int[] order(int epoch) {
        int[] order = new int[microBatches];
        for (int i = 0; i < microBatches; i++) {
            order[i] = i;
        }
        int full = (int) (samples / microBatchSize);
        for (int i = full - 1; shuffled && i > 0; i--) {
            long random = mix(mix(mix(seed ^ PURPOSE) + epoch) + i);
            int other = (int) ((random >>> (Long.SIZE - INDEX_BITS)) * (i + 1) >>> INDEX_BITS);
            int swapped = order[i];
            order[i] = order[other];
            order[other] = swapped;
        }
        return order;
    }

    private double attentionDenominator(List<StepBatches.Range> ranges) {
        if (weights == null || weights.perSample() == null) {
            return 1;
        }
        int size = ranges.stream().mapToInt(StepBatches.Range::size).sum();
        long[] indices = new long[size];
        int next = 0;
        for (StepBatches.Range range : ranges) {
            for (int i = 0; i < range.size(); i++) {
                indices[next++] = range.first() + i;
            }
        }
        return weights.attentionDenominator(indices);
    }

    /** SplitMix64: neighbouring counters give independent bits. */
    private static long mix(long counter) {
        long z = counter + 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
