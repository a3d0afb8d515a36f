package dev.gptq.graph.pass;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What the passes need to know about linear layers. */
final class Layers {
    private Layers() {}

    /** Whether {@code node} is a convolution, a transposed convolution, a Gemm or a MatMul with a constant float32 kernel. */
    static boolean isLayer(Graph graph, Node node) {
        TensorData weight = graph.constants().get(node.input(1));
        boolean float32 = weight != null && weight.type() == ElementType.FLOAT32;
        return float32 && (takesBias(node) || node.is("MatMul"));
    }

    /** Whether the operator itself has a bias input. */
    static boolean takesBias(Node node) {
        return node.is("Conv") || node.is("ConvTranspose") || node.is("Gemm");
    }

    /**
     * The node that reads {@code tensor}, when it does so once, no other does, and the graph does not put it out; else null.
     */
    static Node onlyReader(Graph graph, Map<String, List<Node>> consumers, String tensor) {
        List<Node> readers = consumers.getOrDefault(tensor, List.of());
        return readers.size() == 1 && !graph.isOutput(tensor) ? readers.get(0) : null;
    }

    static int outputChannels(Node node, TensorData weight) {
        long[] shape = weight.shape();
        return (int)
                switch (node.opType()) {
                    case "Conv" -> shape[0];
                    case "ConvTranspose" -> shape[1] * node.integer("group", 1);
                    case "Gemm" -> shape[node.integer("transB", 0) != 0 ? 0 : 1];
                    default -> shape[shape.length - 1];
                };
    }

    /** For each kernel element in row-major order, the output channel it works for. */
    static int[] channelOfElement(Node node, TensorData weight) {
        long[] shape = weight.shape();
        int first = (int) shape[0];
        int second = (int) shape[1];
        int inner = (int) Arrays.stream(shape, 2, shape.length).reduce(1, (a, b) -> a * b);
        int inputsPerGroup = first / (int) node.integer("group", 1);
        int[] channels = new int[weight.size()];
        for (int i = 0; i < channels.length; i++) {
            int row = i / (second * inner);
            int column = i / inner % second;
            channels[i] = switch (node.opType()) {
                case "Conv" -> row;
                case "ConvTranspose" -> row / inputsPerGroup * second + column;
                default -> node.integer("transB", 0) != 0 ? row : column;
            };
        }
        return channels;
    }
}
