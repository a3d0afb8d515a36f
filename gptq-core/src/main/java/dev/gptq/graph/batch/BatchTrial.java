package dev.gptq.graph.batch;

import dev.gptq.GptqException;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.ElementTypes;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs a graph node by node, as it is on single batches and rewritten on all of them at once. What a tensor's dimensions do
 * tells how the next node has to be rewritten, and what its values do whether the node treats samples one by one.
 */
final class BatchTrial {
    private final Graph graph;
    private final long batch;
    private final List<Map<String, TensorData>> samples;
    private final BatchRewrites rewrites;
    private final Map<String, ElementType> types;
    private final Map<String, Tried> tried = new HashMap<>();
    private final Map<String, Integer> lastReader = new HashMap<>();
    /** The first node that mixes samples, in words. */
    private String mixing;

    /** @param graph normalized, its inputs' first dimensions are open */
    BatchTrial(Graph graph, long batch, List<Map<String, TensorData>> samples) {
        this.graph = graph;
        this.batch = batch;
        this.samples = samples;
        this.rewrites = new BatchRewrites(graph, batch, tried);
        this.types = ElementTypes.of(graph);
    }

    /** The rewritten graph, whose outputs for all samples at once are those for each batch. */
    Graph run() throws NoBatchException {
        List<Node> nodes = graph.nodes();
        for (int i = 0; i < nodes.size(); i++) {
            for (String input : nodes.get(i).inputs()) {
                lastReader.put(input, i);
            }
        }
        for (ValueInfo input : graph.inputs()) {
            List<TensorData> parts =
                    samples.stream().map(part -> part.get(input.name())).toList();
            tried.put(input.name(), Tried.of(parts, joined(parts), 1));
        }
        List<Node> rewritten = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            rewritten.addAll(run(nodes.get(i)));
            release(nodes.get(i), i);
        }
        for (ValueInfo output : graph.outputs()) {
            requireSamples(output.name());
        }
        return rewrites.graph().withNodes(rewritten);
    }

    /** Runs a node; returns what takes its place. */
    private List<Node> run(Node node) throws NoBatchException {
        List<ValueInfo> outputs = node.outputs().stream()
                .filter(output -> !output.isEmpty())
                .map(output -> new ValueInfo(output, types.get(output), null))
                .toList();
        List<Map<String, TensorData>> parts = new ArrayList<>();
        try (NodeRun run = new NodeRun(graph, List.of(node), inputs(node, 0), outputs)) {
            for (int i = 0; i < samples.size(); i++) {
                parts.add(run.run(inputs(node, i)));
            }
        } catch (GptqException e) {
            throw new NoBatchException("it cannot be tried: " + reason(e));
        }
        List<Node> rewritten = rewrites.of(node, parts.get(0).get(node.output()));
        Map<String, TensorData> whole;
        try {
            whole = NodeRun.of(rewrites.graph(), rewritten, inputs(node, -1), outputs);
        } catch (GptqException e) {
            String more = samples.size() + " times as many samples give: " + reason(e);
            throw new NoBatchException(mixing == null ? more : mixing);
        }
        for (ValueInfo output : outputs) {
            List<TensorData> values =
                    parts.stream().map(part -> part.get(output.name())).toList();
            Tried result = Tried.of(values, whole.get(output.name()), outer(node));
            tried.put(output.name(), result);
            note(node, result);
        }
        return rewritten;
    }

    private long outer(Node node) {
        if (node.is("Reshape")) {
            return rewrites.outer();
        }
        return node.inputs().stream()
                .map(tried::get)
                .filter(input -> input != null && input.grows())
                .mapToLong(Tried::outer)
                .findFirst()
                .orElse(1);
    }

    /** Shapes differ from sample to batch, so only what is made from samples counts. */
    private void note(Node node, Tried result) {
        boolean fromSamples = node.inputs().stream().map(tried::get).anyMatch(input -> input != null && input.grows());
        boolean shape = node.is("Shape") || node.is("Size");
        if (mixing == null && fromSamples && !shape && !result.agrees()) {
            mixing = String.format(
                    "node '%s' (%s) does something else with %d times as many samples than with each part of them (shape"
                            + " %s, then %s)",
                    node.name(),
                    node.opType(),
                    samples.size(),
                    Arrays.toString(result.part().shape()),
                    Arrays.toString(result.whole().shape()));
        }
    }

    private void requireSamples(String output) throws NoBatchException {
        Tried result = tried.get(output);
        long[] shape = result == null ? new long[0] : result.part().shape();
        boolean rows = result != null && result.axis() == 0 && shape[0] == batch;
        if (rows && result.agrees()) {
            return;
        }
        if (mixing != null) {
            throw new NoBatchException(mixing);
        }
        throw new NoBatchException(
                rows
                        ? "output '" + output + "' of several batches is not that of each"
                        : "output '" + output + "' of shape " + Arrays.toString(shape) + " has no row for each sample");
    }

    /** Of one of the batches, or of all for -1. */
    private Map<String, TensorData> inputs(Node node, int index) {
        Map<String, TensorData> inputs = new LinkedHashMap<>();
        for (String input : node.inputs()) {
            Tried value = tried.get(input);
            if (value != null) {
                inputs.put(input, index < 0 ? value.whole() : value.parts().get(index));
            }
        }
        return inputs;
    }

    private void release(Node node, int index) {
        for (String input : node.inputs()) {
            if (lastReader.getOrDefault(input, -1) == index && !graph.isOutput(input)) {
                tried.remove(input);
            }
        }
        node.outputs().stream()
                .filter(output -> !lastReader.containsKey(output) && !graph.isOutput(output))
                .forEach(tried::remove);
    }

    private static TensorData joined(List<TensorData> parts) {
        long[] shape = parts.get(0).shape();
        shape[0] *= parts.size();
        int size = parts.get(0).size();
        TensorData first = parts.get(0);
        switch (first.type()) {
            case FLOAT32 -> {
                float[] all = new float[size * parts.size()];
                for (int i = 0; i < parts.size(); i++) {
                    System.arraycopy(parts.get(i).floats(), 0, all, i * size, size);
                }
                return TensorData.ofFloats(all, shape);
            }
            case FLOAT64 -> {
                double[] all = new double[size * parts.size()];
                for (int i = 0; i < parts.size(); i++) {
                    System.arraycopy(parts.get(i).doubles(), 0, all, i * size, size);
                }
                return TensorData.ofDoubles(all, shape);
            }
            default -> {
                long[] all = new long[size * parts.size()];
                for (int i = 0; i < parts.size(); i++) {
                    System.arraycopy(parts.get(i).longs(), 0, all, i * size, size);
                }
                return TensorData.ofLongs(first.type(), all, shape);
            }
        }
    }

    /** What failed, without its remedy's full stop. */
    static String reason(GptqException e) {
        return e.getMessage().replaceAll("\\.$", "");
    }
}
