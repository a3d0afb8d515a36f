package dev.gptq.calibrate;

import dev.gptq.GptqException;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Chooses every threshold: statistics and weights -> quantization plan. */
public final class PlanBuilder {
    private PlanBuilder() {}

    /**
     * Builds the plan: kernels of all compare points that are not skipped, and the activation tensors of
     * {@link ActivationTensors}.
     *
     * @throws GptqException BAD_INPUT when the statistics are not this graph's
     */
    public static QuantizationPlan build(Graph prepared, BlockStatistics statistics, QuantizationConfig config) {
        return build(prepared, statistics, config, Map.of());
    }

    /**
     * Builds the plan of a configuration with HMSE thresholds.
     *
     * @param hessians for each of {@link LayerSettings#hessianPoints} by name, the Hessian of each kernel element
     * @throws GptqException BAD_INPUT when the statistics are not this graph's, or a Hessian is missing
     */
    public static QuantizationPlan build(
            Graph prepared, BlockStatistics statistics, QuantizationConfig config, Map<String, float[]> hessians) {
        return new QuantizationPlan(
                weights(prepared, statistics, config, hessians), activations(prepared, statistics, config));
    }

    /** The kernels' part of {@link #build(Graph, BlockStatistics, QuantizationConfig, Map)}. */
    public static List<WeightQuantizer> weights(
            Graph prepared, BlockStatistics statistics, QuantizationConfig config, Map<String, float[]> hessians) {
        Map<String, LayerInput> inputs = LayerInput.of(prepared);
        LayerSettings settings = LayerSettings.of(prepared, config);
        // Tensors are independent of each other, so the order of evaluation does not matter.
        return settings.points().parallelStream()
                .map(point -> weightQuantizer(
                        prepared,
                        point,
                        inputs.get(point.name()),
                        statistics,
                        settings.weights(point),
                        config,
                        hessian(hessians, point, settings)))
                .toList();
    }

    /** The activations' part of {@link #build(Graph, BlockStatistics, QuantizationConfig, Map)}. */
    public static List<ActivationQuantizer> activations(
            Graph prepared, BlockStatistics statistics, QuantizationConfig config) {
        Map<String, Node> producers = prepared.producers();
        LayerSettings settings = LayerSettings.of(prepared, config);
        return settings.tensors().parallelStream()
                .map(tensor ->
                        activationQuantizer(tensor, producers.get(tensor), statistics, settings.activations(tensor)))
                .toList();
    }

    /**
     * Plain post-training quantization: kernels, or what the plan starts from in their place, rounded to nearest and biases
     * corrected. In plan order.
     */
    public static List<QuantizedLayer> roundToNearest(Graph prepared, QuantizationPlan plan) {
        List<QuantizedLayer> layers = new ArrayList<>();
        for (WeightQuantizer quantizer : plan.weights()) {
            ComparePoint point = quantizer.point();
            TensorData kernel = quantizer.start(plan.kernel(prepared, quantizer));
            QuantizationGrid grid = quantizer.grid();
            float[] bias = null;
            if (point.bias() != null) {
                bias = prepared.constants().get(point.bias()).floats().clone();
                double[] correction = quantizer.biasCorrection();
                for (int channel = 0; correction != null && channel < bias.length; channel++) {
                    bias[channel] = (float) (bias[channel] - correction[channel]);
                }
            }
            layers.add(new QuantizedLayer(point, grid, grid.quantize(kernel.floats(), kernel.shape()), bias));
        }
        return layers;
    }

    private static WeightQuantizer weightQuantizer(
            Graph graph,
            ComparePoint point,
            LayerInput input,
            BlockStatistics statistics,
            QuantizationConfig.Weights settings,
            QuantizationConfig config,
            float[] hessian) {
        TensorData kernel = graph.constants().get(point.weight());
        // ONNX Runtime's integer product of several matrices takes one threshold; it fails when it runs with more.
        boolean severalMatrices = input != null && input.node().is("MatMul") && kernel.rank() > 2;
        int axis = settings.perChannel() && !severalMatrices ? point.channelAxis() : -1;
        WeightThresholds chosen = WeightThresholds.choose(kernel, axis, settings, hessian);
        boolean uniform = settings.method() == QuantizationMethod.UNIFORM;
        WeightQuantizer uncorrected = new WeightQuantizer(
                point,
                settings.method(),
                settings.bits(),
                axis,
                chosen.threshold(),
                uniform ? chosen.ranges().min() : null,
                uniform ? chosen.ranges().max() : null,
                null);
        if (!config.biasCorrection() || point.bias() == null) {
            return uncorrected;
        }
        QuantizationGrid grid = uncorrected.grid();
        float[] rounded = grid.dequantize(grid.quantize(kernel.floats(), kernel.shape()), kernel.shape());
        ChannelStatistics observed = observed(statistics.layerInputs(), point.name());
        double[] correction = BiasCorrection.of(input.node(), kernel, rounded, observed.mean());
        return uncorrected.withBiasCorrection(correction);
    }

    private static float[] hessian(Map<String, float[]> hessians, ComparePoint point, LayerSettings settings) {
        if (settings.weights(point).thresholdMethod() != ThresholdMethod.HMSE) {
            return null;
        }
        float[] hessian = hessians.get(point.name());
        if (hessian == null) {
            throw GptqException.badInput(
                    "Cannot choose thresholds of layer %s by hmse: its weight Hessian is missing. Compute it first, or use"
                            + " threshold_method mse.",
                    point.name());
        }
        return hessian;
    }

    private static ActivationQuantizer activationQuantizer(
            String tensor, Node producer, BlockStatistics statistics, QuantizationConfig.Activations config) {
        if (producer != null && isBetweenZeroAndOne(producer)) {
            return ActivationThresholds.ofKnownRange(tensor, 0, 1, config);
        }
        TensorStatistics observed = observed(statistics.activations(), tensor);
        return ActivationThresholds.choose(tensor, observed.histogram().view(), config);
    }

    /** Operators whose range is known beforehand, so that no value needs to be clipped (MCT, prior info of nodes). */
    private static boolean isBetweenZeroAndOne(Node node) {
        return node.is("Sigmoid") || node.is("HardSigmoid") || node.is("Softmax");
    }

    private static <T> T observed(Map<String, T> statistics, String name) {
        T observed = statistics.get(name);
        if (observed == null) {
            throw GptqException.badInput(
                    "Cannot build quantization plan: the statistics do not hold %s, so they are another model's. "
                            + "Run the calibration again with this model.",
                    name);
        }
        return observed;
    }
}
