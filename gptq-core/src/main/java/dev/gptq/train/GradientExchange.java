package dev.gptq.train;

/** Spreads one step over lanes and returns the folded gradient; how is the implementation's business. */
public interface GradientExchange extends AutoCloseable {
    /** Computes the step's global loss and gradient: the fixed-order sum over {@code batches}' lanes. */
    LaneGradient exchange(StudentParameters parameters, StepBatches batches);

    @Override
    void close();
}
