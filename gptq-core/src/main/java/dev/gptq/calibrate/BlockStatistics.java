package dev.gptq.calibrate;

import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BinaryOperator;

/**
 * Statistics of a block of samples for each observed tensor: a histogram with integer counts on a power-of-two bin
 * width, minimum and maximum, and per-channel sums. Merging is exact for counts; sums are folded in block order.
 */
public final class BlockStatistics implements Serializable {
    private static final long serialVersionUID = 1L;

    private final long samples;
    private final LinkedHashMap<String, TensorStatistics> activations;
    private final LinkedHashMap<String, ChannelStatistics> layerInputs;

    /**
     * Statistics of some samples.
     *
     * @param activations by tensor name
     * @param layerInputs by compare point name: the layer's input along the axis that its kernel sums over
     */
    BlockStatistics(
            long samples, Map<String, TensorStatistics> activations, Map<String, ChannelStatistics> layerInputs) {
        this.samples = samples;
        this.activations = new LinkedHashMap<>(activations);
        this.layerInputs = new LinkedHashMap<>(layerInputs);
    }

    /** The statistics of both; this block's samples come before the other's. Neither argument changes. */
    public BlockStatistics merge(BlockStatistics next) {
        return new BlockStatistics(
                samples + next.samples,
                merge(activations, next.activations, TensorStatistics::merge),
                merge(layerInputs, next.layerInputs, ChannelStatistics::merge));
    }

    private static <T> Map<String, T> merge(Map<String, T> first, Map<String, T> second, BinaryOperator<T> merge) {
        if (!first.keySet().equals(second.keySet())) {
            throw new IllegalArgumentException("Cannot merge statistics of different tensors: " + first.keySet()
                    + " and " + second.keySet() + ".");
        }
        Map<String, T> merged = new LinkedHashMap<>();
        first.forEach((name, statistics) -> merged.put(name, merge.apply(statistics, second.get(name))));
        return merged;
    }

    /** Number of samples observed. */
    public long samples() {
        return samples;
    }

    Map<String, TensorStatistics> activations() {
        return activations;
    }

    Map<String, ChannelStatistics> layerInputs() {
        return layerInputs;
    }

    /** Content of statistics.json. */
    public String toJson() {
        return StatisticsJson.write(this);
    }

    /**
     * Reads what {@link #toJson} wrote; every number comes back exactly.
     *
     * @throws dev.gptq.GptqException BAD_INPUT when the text is not such a file
     */
    public static BlockStatistics fromJson(String json) {
        return StatisticsJson.read(json);
    }
}
