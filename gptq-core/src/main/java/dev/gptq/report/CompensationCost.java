package dev.gptq.report;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.compensate.InputMomentsCollector;
import dev.gptq.compensate.KernelGroup;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;
import java.util.List;

/**
 * What the second moments for error compensation cost. Measured, as models differ too much: they took from 3 to 100 times as
 * long as the forward pass. The rounding that follows is little beside them.
 *
 * @param passes over the samples
 * @param seconds of one sample in all passes, on one core
 */
public record CompensationCost(int passes, double seconds) {
    private static final QuantizationPlan FLOAT_ACTIVATIONS = new QuantizationPlan(List.of(), List.of());
    private static final double NANOS_PER_SECOND = 1e9;
    private static final long BUDGET_NANOS = 2_000_000_000L;

    /** Measures the first passes, as many as there is time for, and takes the others to cost as much. */
    public static CompensationCost measure(GraphExecutor model, List<List<KernelGroup>> passes, SampleBatch batch) {
        long begin = System.nanoTime();
        double seconds = 0;
        int measured = 0;
        while (measured < passes.size() && (measured == 0 || System.nanoTime() - begin < BUDGET_NANOS)) {
            seconds += seconds(model, passes.get(measured), batch);
            measured++;
        }
        return new CompensationCost(passes.size(), measured == 0 ? 0 : seconds * passes.size() / measured);
    }

    /** Of a sample, when code and memory are warm. */
    private static double seconds(GraphExecutor model, List<KernelGroup> pass, SampleBatch batch) {
        try (InputMomentsCollector collector = new InputMomentsCollector(model, FLOAT_ACTIVATIONS, pass)) {
            collector.collect(batch);
            long begin = System.nanoTime();
            collector.collect(batch);
            return (System.nanoTime() - begin) / NANOS_PER_SECOND / batch.size();
        }
    }
}
