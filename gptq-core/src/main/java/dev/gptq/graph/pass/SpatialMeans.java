package dev.gptq.graph.pass;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pattern.Unit;
import dev.gptq.graph.pattern.Units;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Makes a mean over all spatial dimensions a GlobalAveragePool, of which runtimes have integer kernels; where the dimensions
 * are not kept, a Squeeze follows. Means inside of a normalization stay. Expects a prepared graph.
 */
final class SpatialMeans {
    /** The first dimension behind batch and channels. */
    private static final int SPATIAL = 2;

    private SpatialMeans() {}

    static Graph apply(Graph graph) {
        if (graph.nodes().stream().noneMatch(node -> node.is("ReduceMean"))) {
            return graph;
        }
        Map<String, Integer> ranks = Ranks.of(graph);
        Set<Node> inUnits = new HashSet<>();
        Units.of(graph).stream().map(Unit::nodes).forEach(inUnits::addAll);
        Rewriting rewriting = new Rewriting(graph);
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            long[] axes = axes(graph, node);
            Integer rank = ranks.get(node.input(0));
            if (axes == null || rank == null || inUnits.contains(node) || !isSpatial(axes, rank)) {
                nodes.add(node);
            } else if (node.integer("keepdims", 1) != 0) {
                nodes.add(pool(node, node.output()));
            } else {
                String pooled = rewriting.tensor(node, "pooled");
                TensorData squeezed = TensorData.ofLongs(ElementType.INT64, axes, axes.length);
                nodes.add(pool(node, pooled));
                nodes.add(new Node(
                        rewriting.node(node, "squeeze"),
                        "Squeeze",
                        List.of(pooled, rewriting.constant(node, "axes", squeezed)),
                        node.outputs(),
                        Map.of()));
            }
        }
        return graph.withConstants(rewriting.constants()).withNodes(nodes);
    }

    private static Node pool(Node mean, String output) {
        return new Node(mean.name(), "GlobalAveragePool", List.of(mean.input(0)), List.of(output), Map.of());
    }

    /** As attribute, or from opset 18 as input; null for another operator, or when they are not known. */
    private static long[] axes(Graph graph, Node node) {
        if (!node.is("ReduceMean")) {
            return null;
        }
        TensorData input = graph.constants().get(node.input(1));
        return input == null ? node.integers("axes", null) : input.longs();
    }

    private static boolean isSpatial(long[] axes, int rank) {
        long[] sorted = Arrays.stream(axes)
                .map(axis -> axis < 0 ? axis + rank : axis)
                .sorted()
                .toArray();
        long[] spatial =
                IntStream.range(SPATIAL, Math.max(rank, SPATIAL)).asLongStream().toArray();
        return spatial.length > 0 && Arrays.equals(sorted, spatial);
    }
}
