package dev.gptq.calibrate;

import java.io.Serializable;

/**
 * Statistics of a block of samples for each observed tensor: a histogram with integer counts on a power-of-two bin
 * width, minimum and maximum, and per-channel sums. Merging is exact for counts; sums are folded in block order.
 */
public final class BlockStatistics implements Serializable {
    /** The statistics of both; this block's samples come before the other's. Neither argument changes. */
    public BlockStatistics merge(BlockStatistics next) {
        throw new UnsupportedOperationException();
    }

    /** Content of statistics.json. */
    public String toJson() {
        throw new UnsupportedOperationException();
    }

    public static BlockStatistics fromJson(String json) {
        throw new UnsupportedOperationException();
    }
}
