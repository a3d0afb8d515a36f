package dev.gptq.calibrate;

import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;

/** Runs the float model on a block of samples and observes every tensor that gets an activation quantizer. */
public final class StatisticsCollector {
    public StatisticsCollector(GraphExecutor floatModel) {
        throw new UnsupportedOperationException();
    }

    /** The block's statistics; also fails with BAD_INPUT when an observed value is not finite. */
    public BlockStatistics collect(SampleBatch batch) {
        throw new UnsupportedOperationException();
    }
}
