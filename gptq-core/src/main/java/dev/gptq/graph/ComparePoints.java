package dev.gptq.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Finds the layers of a prepared graph that are quantized and trained. */
public final class ComparePoints {
    private ComparePoints() {}

    /** All compare points in topological order; the last linear layer is included. */
    public static List<ComparePoint> of(Graph graph) {
        Map<String, List<Node>> consumers = graph.consumers();
        List<ComparePoint> points = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (isEmbedding(graph, node)) {
                points.add(new ComparePoint(node.name(), node.output(), node.input(0), null, 0));
            }
            TensorData weight = graph.constants().get(node.input(1));
            if (weight == null || weight.type() != ElementType.FLOAT32) {
                continue;
            }
            if (node.is("MatMul") && weight.rank() >= 2) {
                points.add(matMul(graph, node, consumers));
            } else if (node.is("Conv") || node.is("ConvTranspose") || isPlainGemm(node)) {
                String bias = graph.isConstant(node.input(2)) ? node.input(2) : null;
                points.add(new ComparePoint(node.name(), node.output(), node.input(1), bias, channelAxis(node)));
            }
        }
        return points;
    }

    /** Whether a node reads rows of a constant float32 table by number. */
    public static boolean isEmbedding(Graph graph, Node node) {
        TensorData table = node.is("Gather") ? graph.constants().get(node.input(0)) : null;
        return table != null
                && table.type() == ElementType.FLOAT32
                && table.rank() == 2
                && node.integer("axis", 0) == 0
                && !graph.isConstant(node.input(1));
    }

    /**
     * The Add of a constant vector behind a MatMul with a constant kernel, which is the layer's bias; null when there is
     * none, or when something else reads the product.
     */
    public static Node biasAddBehind(Graph graph, Node node, Map<String, List<Node>> consumers) {
        TensorData weight = graph.constants().get(node.input(1));
        List<Node> readers = consumers.getOrDefault(node.output(), List.of());
        boolean alone = readers.size() == 1 && !graph.isOutput(node.output());
        if (!node.is("MatMul")
                || weight == null
                || weight.rank() < 2
                || !alone
                || !readers.get(0).is("Add")) {
            return null;
        }
        Node add = readers.get(0);
        TensorData bias = graph.constants().get(biasOf(add, node));
        long channels = weight.shape()[weight.rank() - 1];
        boolean vector = bias != null
                && bias.type() == ElementType.FLOAT32
                && bias.rank() > 0
                && bias.size() == channels
                && bias.shape()[bias.rank() - 1] == channels;
        // A bias of more dimensions than the product would add dimensions to it.
        return vector
                        && Arrays.stream(bias.shape()).limit(bias.rank() - 1).allMatch(dimension -> dimension == 1)
                        && bias.rank() <= 2
                ? add
                : null;
    }

    private static ComparePoint matMul(Graph graph, Node node, Map<String, List<Node>> consumers) {
        Node add = biasAddBehind(graph, node, consumers);
        String output = add == null ? node.output() : add.output();
        int columns = graph.constants().get(node.input(1)).rank() - 1;
        return new ComparePoint(node.name(), output, node.input(1), add == null ? null : biasOf(add, node), columns);
    }

    private static String biasOf(Node add, Node matMul) {
        return add.input(0).equals(matMul.output()) ? add.input(1) : add.input(0);
    }

    private static boolean isPlainGemm(Node node) {
        return node.is("Gemm")
                && node.integer("transA", 0) == 0
                && node.real("alpha", 1) == 1
                && node.real("beta", 1) == 1;
    }

    private static int channelAxis(Node node) {
        return switch (node.opType()) {
            case "Conv" -> 0;
            case "ConvTranspose" -> 1;
            default -> node.integer("transB", 0) != 0 ? 0 : 1;
        };
    }
}
