package dev.gptq.train;

import dev.gptq.hessian.LossWeights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs a step's lanes in this JVM, on as many threads as asked for; their number does not change a bit of the result. */
public final class LocalGradientExchange implements GradientExchange {
    private final GradientComputer computer;
    private final SampleSource samples;
    private final float[][] sampleWeights;
    private final ExecutorService threads;

    public LocalGradientExchange(GradientComputer computer, SampleSource samples, LossWeights weights, int threads) {
        this.computer = computer;
        this.samples = samples;
        this.sampleWeights = weights.perSample();
        this.threads = Executors.newFixedThreadPool(threads);
    }

    @Override
    public LaneGradient exchange(StudentParameters parameters, StepBatches batches) {
        List<Callable<LaneGradient>> lanes = new ArrayList<>();
        for (StepBatches.Range range : batches.lanes()) {
            lanes.add(() -> computer.compute(parameters, microBatch(range, batches)));
        }
        try {
            List<LaneGradient> results = new ArrayList<>();
            for (Future<LaneGradient> result : threads.invokeAll(lanes)) {
                results.add(result.get());
            }
            return LaneGradient.fold(results);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted during step " + batches.step() + ".", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException("A lane of step " + batches.step() + " failed.", e.getCause());
        }
    }

    private MicroBatch microBatch(StepBatches.Range range, StepBatches batches) {
        int first = Math.toIntExact(range.first());
        float[][] weights =
                sampleWeights == null ? null : Arrays.copyOfRange(sampleWeights, first, first + range.size());
        return new MicroBatch(
                samples.read(range.first(), range.size()),
                weights,
                batches.attentionDenominator(),
                batches.globalBatchSize());
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
