package dev.gptq.export;

import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Rewrites one prepared graph into its quantized form; used once. */
final class QdqRewriter {
    private final Graph graph;
    private final QuantizationPlan plan;
    private final GraphEditor editor;
    private final QdqOperators operators;
    private final StoredActivation.Types activationTypes;
    private final Map<String, Node> producers;
    private final Map<String, List<Node>> consumers;
    private final Map<String, ActivationQuantizer> quantizers = new LinkedHashMap<>();
    /** What consumers of a tensor of the prepared graph read instead of it. */
    private final Map<String, String> replaced = new HashMap<>();
    /** The layers that are embedding tables, by the table's name. */
    private final Map<String, QuantizedLayer> tables = new HashMap<>();
    /** The grid that a tensor's values are on, once the tensor has been written. */
    private final Map<String, ActivationPair> grids = new HashMap<>();

    /** @param opset of the exported model */
    QdqRewriter(Graph graph, QuantizationPlan plan, int opset) {
        this.graph = graph;
        this.plan = plan;
        this.editor = new GraphEditor(graph);
        this.operators = new QdqOperators(opset);
        this.activationTypes = StoredActivation.Types.of(plan.activations());
        this.producers = graph.producers();
        this.consumers = graph.consumers();
        plan.activations().forEach(quantizer -> quantizers.put(quantizer.tensor(), quantizer));
    }

    Graph rewrite(List<QuantizedLayer> layers) {
        LayerConstants constants = new LayerConstants(graph, plan, editor, operators);
        Map<String, Node> embeddings = new HashMap<>();
        graph.nodes().stream()
                .filter(node -> ComparePoints.isEmbedding(graph, node))
                .forEach(node -> embeddings.put(node.input(0), node));
        for (QuantizedLayer layer : layers) {
            if (embeddings.containsKey(layer.point().weight())) {
                tables.put(layer.point().weight(), layer);
            } else {
                replaced.putAll(constants.add(layer));
            }
        }
        for (ValueInfo input : graph.inputs()) {
            if (quantizers.containsKey(input.name())) {
                quantize(input.name(), input.name());
            }
        }
        graph.nodes().forEach(this::add);
        return editor.build();
    }

    private void add(Node node) {
        List<String> inputs = node.inputs().stream()
                .map(input -> replaced.getOrDefault(input, input))
                .toList();
        List<String> outputs = node.outputs().stream().map(this::raw).toList();
        Node rewritten = node.withInputs(inputs).withOutputs(outputs);
        QuantizedLayer table = tables.get(node.input(0));
        if (table == null) {
            editor.add(rewritten);
        } else {
            long[] shape = graph.constants().get(node.input(0)).shape();
            new EmbeddingRows(editor, operators).add(rewritten, table, shape, rewritten.output());
        }
        for (int i = 0; i < outputs.size(); i++) {
            String tensor = node.outputs().get(i);
            if (quantizers.containsKey(tensor)) {
                quantize(tensor, outputs.get(i));
            } else if (keepsGrid(node, tensor, i)) {
                pair(grids.get(node.input(0)), tensor, outputs.get(i));
            } else {
                quantizeBeforeLimit(tensor, outputs.get(i));
            }
        }
    }

    /** The name under which a node writes its output: another one where a pair takes over the name of a model output. */
    private String raw(String tensor) {
        return graph.isOutput(tensor) && quantizers.containsKey(tensor) ? editor.unique(tensor + "_float") : tensor;
    }

    private void quantize(String tensor, String raw) {
        pair(grid(tensor), tensor, raw);
    }

    private ActivationPair grid(String tensor) {
        return grids.computeIfAbsent(tensor, key -> {
            ActivationQuantizer quantizer = quantizers.get(key);
            return new ActivationPair(
                    editor, operators, quantizer, activationTypes.store(quantizer), scale(key, quantizer));
        });
    }

    /**
     * ONNX Runtime resizes integers where both grids are equal, and cuts off the fractions of what it interpolates: 0.4 steps
     * too low on average. The next larger scale keeps it from that.
     */
    private float scale(String tensor, ActivationQuantizer quantizer) {
        float scale = quantizer.grid().scale()[0];
        Node producer = producers.get(tensor);
        ActivationPair before = producer != null && producer.is("Resize") ? grids.get(producer.input(0)) : null;
        return before != null && before.step() == scale ? Math.nextUp(scale) : scale;
    }

    private void pair(ActivationPair grid, String tensor, String raw) {
        String output = raw.equals(tensor) ? editor.unique(tensor + "_dequantized") : tensor;
        if (quantizers.containsKey(tensor)) {
            grid.add(raw, output);
        } else {
            grid.addWithoutLimits(raw, output);
        }
        grids.put(tensor, grid);
        replaced.put(tensor, output);
    }

    /** Further outputs are indices, but those of Split. */
    private boolean keepsGrid(Node node, String tensor, int index) {
        return (index == 0 || node.is("Split"))
                && !tensor.isEmpty()
                && !graph.isOutput(tensor)
                && grids.containsKey(node.input(0))
                && PassThrough.movesValues(graph, node, grids.get(node.input(0)));
    }

    /**
     * A Relu or Clip between an operator and its quantizer keeps a runtime from joining the two, unless the grid itself
     * cuts off the same values. A pair of the same grid before it changes nothing and makes the operator an integer one.
     */
    private void quantizeBeforeLimit(String tensor, String raw) {
        List<Node> readers = consumers.getOrDefault(tensor, List.of());
        if (readers.size() != 1 || graph.isOutput(tensor) || !PassThrough.clipsValues(readers.get(0))) {
            return;
        }
        Node limit = readers.get(0);
        if (limit.input(0).equals(tensor) && quantizers.containsKey(limit.output())) {
            ActivationPair grid = grid(limit.output());
            if (!isImplied(limit, grid)) {
                String output = editor.unique(tensor + "_dequantized");
                grid.addWithoutLimits(raw, output);
                replaced.put(tensor, output);
            }
        }
    }

    private boolean isImplied(Node limit, ActivationPair grid) {
        if (limit.is("Relu")) {
            return grid.startsAtZero();
        }
        return limit(limit, 1, Float.NEGATIVE_INFINITY) <= grid.lowest()
                && limit(limit, 2, Float.POSITIVE_INFINITY) >= grid.highest();
    }

    /** The limit at input {@code index} of a Clip; NaN, which compares as false, when it is not known. */
    private double limit(Node clip, int index, float absent) {
        if (!clip.hasInput(index)) {
            return absent;
        }
        TensorData value = graph.constants().get(clip.input(index));
        return value == null || value.size() != 1 ? Double.NaN : value.floats()[0];
    }
}
