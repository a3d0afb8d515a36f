package dev.gptq.calibrate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.OutputMoments;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Runs the model with rounded kernels and float activations, and measures the outputs of the layers that
 * {@link SecondMomentCorrection} can correct. Behind each of them the batch is normalized by its own mean and variance to
 * those wanted, as by a BatchNormalization in training, so that later layers see what they will after the correction (MCT
 * does the same and keeps moving averages over batches; here every element of every block counts the same).
 */
public final class SecondMomentCollector {
    private final GraphExecutor floatModel;
    private final Map<String, TensorData> rounded = new HashMap<>();
    private final Map<String, String> layerByTensor = new LinkedHashMap<>();

    /** {@code floatModel} is the graph that the plan is for. */
    public SecondMomentCollector(GraphExecutor floatModel, QuantizationPlan plan) {
        this.floatModel = floatModel;
        List<WeightQuantizer> correctable = SecondMomentCorrection.layers(floatModel.graph(), plan);
        List<QuantizedLayer> layers = PlanBuilder.roundToNearest(floatModel.graph(), plan);
        for (int i = 0; i < layers.size(); i++) {
            QuantizedLayer layer = layers.get(i);
            long[] shape =
                    floatModel.graph().constants().get(layer.point().weight()).shape();
            rounded.put(
                    layer.point().weight(), TensorData.ofFloats(layer.grid().dequantize(layer.values(), shape), shape));
            if (correctable.contains(plan.weights().get(i))) {
                layerByTensor.put(layer.point().output(), layer.point().name());
            } else if (layer.bias() != null) {
                // Other layers run as the student will start; these with the bias that the correction is for.
                rounded.put(layer.point().bias(), TensorData.ofFloats(layer.bias(), layer.bias().length));
            }
        }
    }

    /** The block's moments. */
    public LayerMoments collect(SampleBatch batch) {
        Map<String, ChannelMoments> measured = new LinkedHashMap<>();
        try (NDManager scope = Engines.newScope(floatModel.device())) {
            Map<String, NDArray> feeds = Engines.toArrays(scope, batch.inputs());
            feeds.putAll(Engines.toArrays(scope, rounded));
            floatModel.run(
                    scope,
                    feeds,
                    (tensor, value) -> {
                        String layer = layerByTensor.get(tensor);
                        if (layer == null) {
                            return value;
                        }
                        ChannelMoments moments = ChannelMoments.of(
                                value.toFloatArray(), value.getShape().getShape());
                        measured.put(layer, moments);
                        return normalized(
                                value, moments, floatModel.graph().moments().get(tensor));
                    },
                    Set.of());
        }
        Map<String, ChannelMoments> ordered = new LinkedHashMap<>();
        layerByTensor.values().forEach(layer -> ordered.put(layer, measured.get(layer)));
        return new LayerMoments(ordered);
    }

    private static NDArray normalized(NDArray value, ChannelMoments found, OutputMoments wanted) {
        float[] factors = new float[wanted.mean().length];
        float[] offsets = new float[factors.length];
        for (int channel = 0; channel < factors.length; channel++) {
            double deviation = wanted.deviation()[channel];
            double factor = Math.sqrt((deviation * deviation + SecondMomentCorrection.EPSILON)
                    / (found.variance(channel) + SecondMomentCorrection.EPSILON));
            factors[channel] = (float) factor;
            offsets[channel] = (float) (wanted.mean()[channel] - found.mean()[channel] * factor);
        }
        long[] shape = new long[value.getShape().dimension()];
        Arrays.fill(shape, 1);
        shape[1] = factors.length;
        try (NDArray factor = value.getManager().create(factors, new Shape(shape));
                NDArray offset = value.getManager().create(offsets, new Shape(shape));
                NDArray scaled = value.mul(factor)) {
            return scaled.add(offset);
        }
    }
}
