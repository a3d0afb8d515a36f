package dev.gptq.evaluate;

import java.io.Serializable;

/**
 * Sums over a block of samples from which metrics are computed: correct predictions of float, ptq and gptq model,
 * agreements with float, squared signal and noise of model outputs, cosine sums, and squared signal and noise of each
 * compare point for ptq and gptq.
 */
public final class BlockMetrics implements Serializable {
    /** Sums of both; this block's samples come before the other's. */
    public BlockMetrics merge(BlockMetrics next) {
        throw new UnsupportedOperationException();
    }
}
