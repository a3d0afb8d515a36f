package dev.gptq.train;

import dev.gptq.graph.SampleBatch;

/** Gives access to a prepared dataset by sample index. May be called from several threads at once. */
@FunctionalInterface
public interface SampleSource {
    /** Samples [first, first + size). */
    SampleBatch read(long first, int size);
}
