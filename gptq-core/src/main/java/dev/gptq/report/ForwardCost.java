package dev.gptq.report;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;
import java.util.HashMap;
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

    /** Runs a batch twice and measures the second run, which finds code and memory warm. */
    public static ForwardCost measure(GraphExecutor model, SampleBatch batch) {
        run(model, batch);
        return run(model, batch);
    }

    private static ForwardCost run(GraphExecutor model, SampleBatch batch) {
        long[] bytes = new long[1];
        long outputs = 0;
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            Map<String, NDArray> feeds = new HashMap<>();
            batch.inputs().forEach((name, value) -> feeds.put(name, Engines.toArray(scope, value)));
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
