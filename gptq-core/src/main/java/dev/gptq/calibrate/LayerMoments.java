package dev.gptq.calibrate;

import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.Map;

/** By layer, the moments of its output in the model with rounded kernels; what blocks of samples add up to. */
public final class LayerMoments implements Serializable {
    private static final long serialVersionUID = 1L;

    private final LinkedHashMap<String, ChannelMoments> layers;

    LayerMoments(Map<String, ChannelMoments> layers) {
        this.layers = new LinkedHashMap<>(layers);
    }

    /** The moments over both blocks; this one's samples come first. */
    public LayerMoments merge(LayerMoments later) {
        Map<String, ChannelMoments> merged = new LinkedHashMap<>();
        layers.forEach((layer, moments) -> merged.put(layer, moments.merge(later.layers.get(layer))));
        return new LayerMoments(merged);
    }

    ChannelMoments of(String layer) {
        return layers.get(layer);
    }
}
