package dev.gptq.train;

import java.io.Serializable;
import java.util.List;

/** Which samples a step sees: one range of consecutive sample indices, a micro-batch, per lane. */
public record StepBatches(int step, List<Range> lanes) implements Serializable {
    /** Samples [first, first + size). */
    public record Range(long first, int size) implements Serializable {}

    public StepBatches {
        lanes = List.copyOf(lanes);
    }

    public int globalBatchSize() {
        return lanes.stream().mapToInt(Range::size).sum();
    }
}
