package dev.gptq.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.BiasGrid;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The quantized model in the engine, with the exporter's arithmetic: integer kernels, biases rounded to the int32 grid of
 * (input scale * weight scale), activations fully quantized.
 */
public final class QuantizedStudent {
    private final GraphExecutor floatModel;
    private final Map<String, ActivationFakeQuantizer> activations = new HashMap<>();
    private final Map<String, TensorData> constants = new HashMap<>();
    private final List<ComparePoint> points;

    public QuantizedStudent(GraphExecutor floatModel, QuantizationPlan plan, List<QuantizedLayer> layers) {
        this.floatModel = floatModel;
        for (ActivationQuantizer quantizer : plan.activations()) {
            activations.put(quantizer.tensor(), new ActivationFakeQuantizer(quantizer));
        }
        for (QuantizedLayer layer : layers) {
            putConstants(floatModel.graph(), plan, layer);
        }
        this.points = layers.stream().map(QuantizedLayer::point).toList();
    }

    private void putConstants(Graph graph, QuantizationPlan plan, QuantizedLayer layer) {
        ComparePoint point = layer.point();
        long[] shape = ParameterLayout.kernel(graph, point).shape();
        constants.put(point.weight(), TensorData.ofFloats(layer.grid().dequantize(layer.values(), shape), shape));
        if (layer.bias() == null) {
            return;
        }
        float[] bias = layer.bias().clone();
        float[] scale = BiasGrid.scale(graph, plan, point, layer.grid(), bias.length);
        if (scale != null && BiasGrid.fits(bias, scale)) {
            int[] integers = BiasGrid.round(bias, scale);
            for (int c = 0; c < bias.length; c++) {
                bias[c] = integers[c] * scale[c];
            }
        }
        constants.put(
                point.bias(),
                TensorData.ofFloats(bias, ParameterLayout.bias(graph, point).shape()));
    }

    /** Runs a batch; {@code manager} owns the arrays of the result. Thread-safe. */
    public StudentOutputs run(NDManager manager, SampleBatch batch) {
        Map<String, NDArray> feeds = Engines.toArrays(manager, batch.inputs());
        feeds.putAll(Engines.toArrays(manager, constants));
        Map<String, NDArray> captured = new HashMap<>();
        Map<String, NDArray> outputs;
        try (Autograd.Recording paused = Autograd.pause()) {
            outputs = floatModel.run(manager, feeds, (tensor, value) -> {
                captured.put(tensor, value);
                ActivationFakeQuantizer quantizer = activations.get(tensor);
                return quantizer == null ? value : quantizer.quantize(value);
            });
        }
        Map<String, NDArray> comparePoints = new LinkedHashMap<>();
        points.forEach(point -> comparePoints.put(point.output(), captured.get(point.output())));
        return new StudentOutputs(outputs, comparePoints);
    }
}
