package dev.gptq.graph.pass;

import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Finds layers whose constants do not fit each other or their input. ONNX Runtime does not refuse all of them: some end the
 * whole process.
 */
public final class LayerShapes {
    /** Kernel axes before the spatial ones. */
    private static final int SPATIAL = 2;

    private static final int NORMALIZATION_PARAMETERS = 4;

    private final Graph graph;
    private final Map<String, Integer> ranks;

    private LayerShapes(Graph graph) {
        this.graph = graph;
        this.ranks = Ranks.of(graph);
    }

    /**
     * Checks every convolution, linear layer and BatchNormalization with constant parameters.
     *
     * @throws GptqException BAD_INPUT that names all layers that do not fit
     */
    public static void require(Graph graph, String source) {
        LayerShapes shapes = new LayerShapes(graph);
        List<String> problems = new ArrayList<>();
        for (Node node : graph.nodes()) {
            String problem = shapes.problem(node);
            if (problem != null) {
                problems.add("'" + node.name() + "' (" + node.opType() + ") has " + problem);
            }
        }
        if (!problems.isEmpty()) {
            throw GptqException.badInput(
                    "Cannot read model %s: its layers do not fit: %s. Export it again; onnx.checker helps to find out why.",
                    source, String.join("; ", problems));
        }
    }

    /** What does not fit, or null. */
    private String problem(Node node) {
        TensorData weight = graph.constants().get(node.input(1));
        return switch (node.opType()) {
            case "Conv", "ConvTranspose" -> weight == null ? null : convolution(node, weight);
            case "Gemm" -> weight == null ? null : linear(node, weight);
            case "MatMul" -> weight == null ? null : factor(weight);
            case "BatchNormalization" -> normalization(node);
            case "Col2Im" -> blocks(node);
            default -> null;
        };
    }

    private String convolution(Node node, TensorData weight) {
        int spatial = weight.rank() - SPATIAL;
        if (spatial < 1) {
            return "a kernel of rank " + weight.rank();
        }
        if (weight.size() == 0) {
            return "an empty kernel of shape " + Arrays.toString(weight.shape());
        }
        Integer rank = ranks.get(node.input(0));
        if (rank != null && rank != weight.rank()) {
            return "a kernel of rank " + weight.rank() + " for an input of rank " + rank;
        }
        long[] sides = Arrays.copyOfRange(weight.shape(), SPATIAL, weight.rank());
        long[] declared = node.integers("kernel_shape", sides);
        if (!Arrays.equals(declared, sides)) {
            return "kernel_shape " + Arrays.toString(declared) + " and a kernel of shape "
                    + Arrays.toString(weight.shape());
        }
        for (String attribute : List.of("strides", "dilations")) {
            long[] values = node.integers(attribute, new long[spatial]);
            if (values.length != spatial) {
                return attribute + " " + Arrays.toString(values) + " for " + spatial + " spatial dimensions";
            }
        }
        long[] pads = node.integers("pads", new long[2 * spatial]);
        if (pads.length != 2 * spatial) {
            return "pads " + Arrays.toString(pads) + " for " + spatial + " spatial dimensions";
        }
        long groups = node.integer("group", 1);
        if (groups < 1 || weight.shape()[0] % groups != 0) {
            return groups + " groups for a kernel of shape " + Arrays.toString(weight.shape());
        }
        return bias(node, weight);
    }

    private static String factor(TensorData weight) {
        if (weight.rank() == 0) {
            return "a weight of rank 0";
        }
        return weight.size() == 0 ? "an empty weight of shape " + Arrays.toString(weight.shape()) : null;
    }

    private String linear(Node node, TensorData weight) {
        if (weight.rank() != 2) {
            return "a weight of rank " + weight.rank();
        }
        Integer rank = ranks.get(node.input(0));
        return rank != null && rank != 2 ? "a weight of rank 2 for an input of rank " + rank : null;
    }

    private String bias(Node node, TensorData weight) {
        TensorData bias = graph.constants().get(node.input(2));
        int channels = Layers.outputChannels(node, weight);
        return bias != null && (bias.rank() != 1 || bias.size() != channels)
                ? "a bias of shape " + Arrays.toString(bias.shape()) + " for " + channels + " channels"
                : null;
    }

    /** Blocks and images without elements. */
    private String blocks(Node node) {
        for (String input : node.inputs().subList(1, node.inputs().size())) {
            TensorData sides = graph.constants().get(input);
            if (sides != null && Arrays.stream(sides.longs()).anyMatch(side -> side < 1)) {
                return "sides " + Arrays.toString(sides.longs());
            }
        }
        return null;
    }

    private String normalization(Node node) {
        Integer rank = ranks.get(node.input(0));
        if (rank != null && rank < 2) {
            return "an input of rank " + rank;
        }
        List<TensorData> parameters = Stream.iterate(1, i -> i + 1)
                .limit(NORMALIZATION_PARAMETERS)
                .map(i -> graph.constants().get(node.input(i)))
                .toList();
        if (parameters.contains(null)) {
            return null;
        }
        int channels = parameters.get(0).size();
        boolean fits = parameters.stream().allMatch(tensor -> tensor.rank() == 1 && tensor.size() == channels);
        return fits
                ? null
                : "parameters of shapes "
                        + parameters.stream()
                                .map(tensor -> Arrays.toString(tensor.shape()))
                                .toList();
    }
}
