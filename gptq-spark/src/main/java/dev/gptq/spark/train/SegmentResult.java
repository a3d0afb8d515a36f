package dev.gptq.spark.train;

import dev.gptq.train.RoundingTrainer.StepResult;
import java.io.Serializable;
import java.util.List;

/**
 * What a task brings home: the numbers of the segment's steps, or none when another task does.
 *
 * @param layers each layer's part of the last step's loss; empty when they are not known
 */
record SegmentResult(List<StepResult> history, double[] layers) implements Serializable {
    SegmentResult {
        history = List.copyOf(history);
    }
}
