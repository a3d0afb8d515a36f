package dev.gptq.calibrate;

import java.io.Serializable;

/**
 * What was observed of one activation tensor.
 *
 * @param channels along axis 1; null for a tensor with fewer than two axes, or whose second axis has no fixed length (tokens)
 */
record TensorStatistics(Histogram histogram, ChannelStatistics channels) implements Serializable {
    TensorStatistics merge(TensorStatistics next) {
        boolean sameChannels = channels != null && next.channels != null && channels.count() == next.channels.count();
        return new TensorStatistics(
                histogram.merge(next.histogram), sameChannels ? channels.merge(next.channels) : null);
    }
}
