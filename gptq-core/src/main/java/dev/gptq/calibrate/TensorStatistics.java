package dev.gptq.calibrate;

import java.io.Serializable;

/**
 * What was observed of one activation tensor.
 *
 * @param channels along axis 1; null for a tensor with fewer than two axes
 */
record TensorStatistics(Histogram histogram, ChannelStatistics channels) implements Serializable {
    TensorStatistics merge(TensorStatistics next) {
        return new TensorStatistics(
                histogram.merge(next.histogram), channels == null ? null : channels.merge(next.channels));
    }
}
