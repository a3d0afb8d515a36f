package dev.gptq.calibrate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.GptqException;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.engine.TensorHook;
import dev.gptq.graph.SampleBatch;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Runs the float model on a block of samples and observes every tensor that gets an activation quantizer, and the input
 * of every layer (for bias correction).
 */
public final class StatisticsCollector {
    private static final int CHANNEL_AXIS = 1;

    private final GraphExecutor floatModel;
    private final Set<String> tensors;
    private final Map<String, LayerInput> layerInputs;

    public StatisticsCollector(GraphExecutor floatModel) {
        this.floatModel = floatModel;
        this.tensors = ActivationTensors.ofAnyTarget(floatModel.graph());
        this.layerInputs = LayerInput.of(floatModel.graph());
    }

    /**
     * The block's statistics.
     *
     * @throws GptqException BAD_INPUT when an observed value is not finite
     */
    public BlockStatistics collect(SampleBatch batch) {
        Map<String, TensorStatistics> activations = new HashMap<>();
        Map<String, ChannelStatistics> inputs = new HashMap<>();
        try (NDManager manager = Engines.newScope(floatModel.device())) {
            Map<String, NDArray> feeds = Engines.toArrays(manager, batch.inputs());
            TensorHook observer = (tensor, value) -> {
                observe(tensor, value, batch, activations, inputs);
                return value;
            };
            floatModel.run(manager, feeds, observer, Set.of());
        }
        Map<String, TensorStatistics> ordered = new LinkedHashMap<>();
        tensors.forEach(tensor -> ordered.put(tensor, activations.get(tensor)));
        Map<String, ChannelStatistics> orderedInputs = new LinkedHashMap<>();
        layerInputs.keySet().forEach(layer -> orderedInputs.put(layer, inputs.get(layer)));
        return new BlockStatistics(batch.size(), ordered, orderedInputs);
    }

    private void observe(
            String tensor,
            NDArray value,
            SampleBatch batch,
            Map<String, TensorStatistics> activations,
            Map<String, ChannelStatistics> inputs) {
        boolean quantized = tensors.contains(tensor);
        List<Map.Entry<String, LayerInput>> layers = layerInputs.entrySet().stream()
                .filter(entry -> entry.getValue().tensor().equals(tensor))
                .toList();
        if (!quantized && layers.isEmpty()) {
            return;
        }
        float[] values = value.toFloatArray();
        long[] shape = value.getShape().getShape();
        if (quantized) {
            ChannelStatistics channels =
                    shape.length > CHANNEL_AXIS ? ChannelStatistics.of(values, shape, CHANNEL_AXIS) : null;
            activations.put(tensor, new TensorStatistics(histogram(tensor, values, batch), channels));
        }
        for (Map.Entry<String, LayerInput> layer : layers) {
            int axis = layer.getValue().channelAxis() < 0 ? shape.length - 1 : CHANNEL_AXIS;
            inputs.put(layer.getKey(), ChannelStatistics.of(values, shape, axis));
        }
    }

    private static Histogram histogram(String tensor, float[] values, SampleBatch batch) {
        float min = Float.POSITIVE_INFINITY;
        float max = Float.NEGATIVE_INFINITY;
        for (float value : values) {
            min = Math.min(min, value);
            max = Math.max(max, value);
        }
        // Minimum and maximum of values with a NaN among them are NaN.
        if (!Float.isFinite(min) || !Float.isFinite(max)) {
            throw notFinite(tensor, values, batch);
        }
        return Histogram.of(values, min, max);
    }

    private static GptqException notFinite(String tensor, float[] values, SampleBatch batch) {
        int position = 0;
        while (Float.isFinite(values[position])) {
            position++;
        }
        long sample = batch.firstIndex() + position / (values.length / batch.size());
        return GptqException.badInput(
                "Cannot collect statistics of tensor %s: sample %d gives the value %s. Repair or remove that sample.",
                tensor, sample, values[position]);
    }
}
