package dev.gptq.calibrate;

import dev.gptq.GptqException;
import dev.gptq.config.LayerOverride;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a configuration with its overrides says about each layer of a prepared graph. A layer whose kernel is skipped is no
 * compare point: it has no weight quantizer and is not scored, and its kernel and bias stay as they are. An error there
 * would be one that layers before it made, which their own compare points already measure.
 */
public final class LayerSettings {
    private final QuantizationConfig config;
    private final List<ComparePoint> points;
    /** Names of the nodes that read embedding tables. */
    private final Set<String> embeddings;

    /** Names of the first and the last layer with a kernel, skipped ones among them. */
    private final Set<String> firstAndLast;

    private final Map<String, List<String>> namesByTensor;

    private LayerSettings(
            QuantizationConfig config,
            List<ComparePoint> points,
            Set<String> embeddings,
            Set<String> firstAndLast,
            Map<String, List<String>> namesByTensor) {
        this.config = config;
        this.points = points;
        this.embeddings = embeddings;
        this.firstAndLast = firstAndLast;
        this.namesByTensor = namesByTensor;
    }

    /**
     * Resolves the overrides.
     *
     * @throws GptqException BAD_INPUT when an override matches no layer, or every kernel is skipped
     */
    public static LayerSettings of(Graph prepared, QuantizationConfig config) {
        Map<String, List<String>> namesByTensor = ActivationTensors.namesByTensor(prepared, Fusing.of(config));
        Set<String> kernels = new LinkedHashSet<>();
        ComparePoints.of(prepared).forEach(point -> kernels.add(point.name()));
        Set<String> all = new LinkedHashSet<>(kernels);
        namesByTensor.values().forEach(all::addAll);
        for (LayerOverride override : config.layers()) {
            override.requireMatch(override.isAboutKernels() ? kernels : all);
        }
        Set<String> embeddings = prepared.nodes().stream()
                .filter(node -> ComparePoints.isEmbedding(prepared, node))
                .map(Node::name)
                .collect(Collectors.toSet());
        boolean floatTables = config.weights().embeddingBits() == null;
        List<ComparePoint> points = ComparePoints.of(prepared).stream()
                .filter(point -> !config.skips(point.name()))
                .filter(point -> !(floatTables && embeddings.contains(point.name())))
                .toList();
        if (points.isEmpty() && kernels.stream().anyMatch(config::skips)) {
            throw GptqException.badInput(
                    "Cannot quantize model %s: quantization.layers skips all of its %d layers. Leave at least one.",
                    prepared.name(), kernels.size());
        }
        kernels.removeAll(embeddings);
        return new LayerSettings(config, points, embeddings, firstAndLast(kernels), new LinkedHashMap<>(namesByTensor));
    }

    private static Set<String> firstAndLast(Set<String> kernels) {
        List<String> ordered = List.copyOf(kernels);
        return ordered.isEmpty() ? Set.of() : new HashSet<>(List.of(ordered.get(0), ordered.get(ordered.size() - 1)));
    }

    /** The layers with a quantized kernel, in topological order. */
    public List<ComparePoint> points() {
        return points;
    }

    /** Those of {@link #points} whose kernel's threshold needs a weight Hessian. */
    public List<ComparePoint> hessianPoints() {
        return points.stream()
                .filter(point -> weights(point).thresholdMethod() == ThresholdMethod.HMSE)
                .toList();
    }

    /** Settings of the layer's kernel. */
    public QuantizationConfig.Weights weights(ComparePoint point) {
        return embeddings.contains(point.name())
                ? config.embeddingOf(point.name())
                : config.weightsOf(point.name(), firstAndLast.contains(point.name()));
    }

    /** Whether the bits of the layer's kernel were set for it, not for the model. */
    public boolean setsBits(ComparePoint point) {
        return config.setsWeightBits(point.name(), firstAndLast.contains(point.name()));
    }

    /** The quantized activation tensors in graph order. */
    public List<String> tensors() {
        return new ArrayList<>(namesByTensor.keySet());
    }

    /** Names by which overrides reach the tensor's quantizer; the last one is its node's or the model input's own. */
    public List<String> names(String tensor) {
        return namesByTensor.get(tensor);
    }

    /** Settings of the tensor's quantizer. */
    public QuantizationConfig.Activations activations(String tensor) {
        return config.activationsOf(namesByTensor.get(tensor));
    }

    /** Whether the bits of the tensor's quantizer were set for it, not for the model. */
    public boolean setsBits(String tensor) {
        return config.setsActivationBits(namesByTensor.get(tensor));
    }

    /** The quantized tensor whose values the layer multiplies its kernel with, or null. */
    public String inputTensor(Graph prepared, ComparePoint point) {
        return BiasGrid.inputTensor(prepared, namesByTensor.keySet(), point);
    }
}
