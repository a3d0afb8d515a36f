package dev.gptq.report;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;
import java.util.Map;
import java.util.Set;

/**
 * What one sample costs on its way through the float model.
 *
 * @param seconds on one core
 * @param activationBytes of all tensors that it makes
 * @param outputs elements of all float outputs
 */
public record ForwardCost(double seconds, long activationBytes, long outputs) {
    private static final double NANOS_PER_SECOND = 1e9;

    private static final int RUNS = 5;
    private static final long BUDGET_NANOS = 2_000_000_000L;

    /** The quickest of some runs of a batch, after one that warms code and memory: others may have been disturbed. */
    public static ForwardCost measure(GraphExecutor model, SampleBatch batch) {
        run(model, batch);
        ForwardCost quickest = run(model, batch);
        long begin = System.nanoTime();
        for (int run = 1; run < RUNS && System.nanoTime() - begin < BUDGET_NANOS; run++) {
            ForwardCost cost = run(model, batch);
            quickest = cost.seconds < quickest.seconds ? cost : quickest;
        }
        return quickest;
    }

    private static ForwardCost run(GraphExecutor model, SampleBatch batch) {
        long[] bytes = new long[1];
        long outputs = 0;
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            Map<String, NDArray> feeds = Engines.toArrays(scope, batch.inputs());
            long begin = System.nanoTime();
            Map<String, NDArray> results = model.run(
                    scope,
                    feeds,
                    (tensor, value) -> {
                        bytes[0] += value.size() * value.getDataType().getNumOfBytes();
                        return value;
                    },
                    Set.of());
            for (NDArray result : results.values()) {
                outputs += result.getDataType().isFloating() ? result.size() : 0;
            }
            double seconds = (System.nanoTime() - begin) / NANOS_PER_SECOND;
            return new ForwardCost(seconds / batch.size(), bytes[0] / batch.size(), outputs / batch.size());
        }
    }
}
