package dev.gptq.train;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs a step's lanes in this JVM, on as many threads as asked for; their number does not change a bit of the result. */
public final class LocalGradientExchange implements GradientExchange {
    private final GradientComputer computer;
    private final TrainingData data;
    private final ExecutorService threads;

    public LocalGradientExchange(GradientComputer computer, TrainingData data, int threads) {
        this.computer = computer;
        this.data = data;
        this.threads = Executors.newFixedThreadPool(threads);
    }

    @Override
    public LaneGradient exchange(StudentParameters parameters, StepBatches batches) {
        List<Callable<LaneGradient>> lanes = new ArrayList<>();
        for (int lane = 0; lane < batches.lanes().size(); lane++) {
            int index = lane;
            lanes.add(() -> computer.compute(parameters, MicroBatch.of(batches, index, data)));
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

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
