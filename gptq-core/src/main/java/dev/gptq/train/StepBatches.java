package dev.gptq.train;

import java.io.Serializable;
import java.util.List;

/**
 * Which samples a step sees: one range of consecutive sample indices per lane.
 *
 * @param attentionDenominator see {@link MicroBatch}
 */
public record StepBatches(int step, List<Range> lanes, double attentionDenominator) implements Serializable {
    /** Samples [first, first + size). */
    public record Range(long first, int size) implements Serializable {}

    public int globalBatchSize() {
        return lanes.stream().mapToInt(Range::size).sum();
    }
}
