package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** The number of dimensions of tensors, as far as the graph alone tells it. */
final class Ranks {
    /** Operators whose outputs may have another rank than their first input, and of which it is not known here. */
    private static final Set<String> UNKNOWN = Set.of(
            "If",
            "Loop",
            "Scan",
            "LSTM",
            "GRU",
            "RNN",
            "NonMaxSuppression",
            "Compress",
            "Unique",
            "Range",
            "OneHot",
            "Einsum",
            "ConstantOfShape",
            "GatherND",
            "RoiAlign",
            "MaxRoiPool",
            "Det",
            "TfIdfVectorizer",
            "STFT",
            "NegativeLogLikelihoodLoss",
            "SoftmaxCrossEntropyLoss",
            "Col2Im",
            "MelWeightMatrix",
            "AffineGrid");

    private final Graph graph;
    private final Map<String, Integer> ranks = new HashMap<>();
    /** Number of elements of tensors with one dimension: computed shapes. */
    private final Map<String, Integer> lengths = new HashMap<>();

    private Ranks(Graph graph) {
        this.graph = graph;
    }

    static Map<String, Integer> of(Graph graph) {
        Ranks found = new Ranks(graph);
        found.find();
        return found.ranks;
    }

    private void find() {
        graph.inputs().forEach(input -> ranks.put(input.name(), input.shape().length));
        graph.constants().forEach((name, tensor) -> {
            ranks.put(name, tensor.rank());
            if (tensor.rank() == 1) {
                lengths.put(name, tensor.size());
            }
        });
        for (Node node : graph.nodes()) {
            Integer rank = rankOf(node);
            if (rank != null) {
                node.outputs().forEach(output -> ranks.put(output, rank));
            }
            Integer length = lengthOf(node, rank);
            if (length != null) {
                lengths.put(node.output(), length);
            }
        }
    }

    private Integer rankOf(Node node) {
        if (UNKNOWN.contains(node.opType())) {
            return null;
        }
        if (node.opType().startsWith("Reduce") || node.is("ArgMax") || node.is("ArgMin")) {
            return node.integer("keepdims", 1) != 0 ? ranks.get(node.input(0)) : null;
        }
        return switch (node.opType()) {
            case "Gemm", "Flatten", "NonZero" -> Integer.valueOf(2);
            case "Shape" -> Integer.valueOf(1);
            case "Size" -> Integer.valueOf(0);
            case "Reshape" -> lengths.get(node.input(1));
            case "Add",
                    "Sub",
                    "Mul",
                    "Div",
                    "Pow",
                    "Min",
                    "Max",
                    "MatMul",
                    "Sum",
                    "Mean",
                    "Where",
                    "Equal",
                    "Greater",
                    "Less" -> broadcastRank(node, ranks);
            case "Expand" -> larger(ranks.get(node.input(0)), lengths.get(node.input(1)));
            case "Squeeze" -> shifted(ranks.get(node.input(0)), axes(graph, node, -1));
            case "Unsqueeze" -> shifted(ranks.get(node.input(0)), axes(graph, node, 1));
            case "Gather" -> gatherRank(node, ranks);
            default -> ranks.get(node.input(0));
        };
    }

    /** As exporters compute shapes: Shape, Gather of single dimensions, Unsqueeze, Concat. */
    private Integer lengthOf(Node node, Integer rank) {
        if (rank == null || rank != 1) {
            return null;
        }
        return switch (node.opType()) {
            case "Shape" ->
                node.attributes().containsKey("start") || node.attributes().containsKey("end")
                        ? null
                        : ranks.get(node.input(0));
            case "Unsqueeze" -> Integer.valueOf(1);
            case "Gather" -> ranks.get(node.input(1)) == 1 ? lengths.get(node.input(1)) : null;
            case "Cast", "Identity" -> lengths.get(node.input(0));
            case "Concat" ->
                node.inputs().stream().allMatch(lengths::containsKey)
                        ? Integer.valueOf(
                                node.inputs().stream().mapToInt(lengths::get).sum())
                        : null;
            default -> null;
        };
    }

    private static Integer broadcastRank(Node node, Map<String, Integer> ranks) {
        if (node.inputs().stream().anyMatch(input -> ranks.get(input) == null)) {
            return null;
        }
        OptionalInt largest = node.inputs().stream().mapToInt(ranks::get).max();
        return largest.isPresent() ? Integer.valueOf(largest.getAsInt()) : null;
    }

    /** How many axes a Squeeze or Unsqueeze names, as attribute (before opset 13) or as input. */
    private static Integer axes(Graph graph, Node node, int sign) {
        long[] attribute = node.integers("axes", null);
        return attribute != null ? Integer.valueOf(sign * attribute.length) : elements(graph, node.input(1), sign);
    }

    private static Integer elements(Graph graph, String tensor, int sign) {
        TensorData constant = graph.constants().get(tensor);
        return constant == null ? null : Integer.valueOf(sign * constant.size());
    }

    private static Integer shifted(Integer rank, Integer by) {
        return rank == null || by == null ? null : Integer.valueOf(rank + by);
    }

    private static Integer larger(Integer rank, Integer other) {
        return rank == null || other == null ? null : Integer.valueOf(Math.max(rank, other));
    }

    private static Integer gatherRank(Node node, Map<String, Integer> ranks) {
        Integer data = ranks.get(node.input(0));
        Integer indices = ranks.get(node.input(1));
        return data == null || indices == null ? null : Integer.valueOf(data + indices - 1);
    }
}
