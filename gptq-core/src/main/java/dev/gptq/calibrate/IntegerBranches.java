package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.pass.Names;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Gives the integer kernels that read a tensor a branch of their own where others read it, too: an Identity, behind which the
 * quantizer is. The others read what was computed. A transformer's residual stream is the case it is made for: attention
 * and feed-forward layers read the stream's normalised values on a grid, and the sum behind them, which ONNX Runtime runs in
 * float whatever its operands are, is spared the rounding error. For other targets than ONNX Runtime, whose sums are integer
 * ones, it changes nothing.
 */
public final class IntegerBranches {
    private static final String SUFFIX = "/integer";

    private IntegerBranches() {}

    /** The prepared graph with such branches. */
    public static Graph apply(Graph prepared, QuantizationConfig config) {
        if (Fusing.of(config) != Fusing.ONNX_RUNTIME) {
            return prepared;
        }
        Map<String, List<Node>> branches = ActivationTensors.readInBothWays(prepared);
        if (branches.isEmpty()) {
            return prepared;
        }
        Names tensors = Names.ofTensors(prepared);
        Names nodes = Names.ofNodes(prepared);
        Map<String, Node> producers = prepared.producers();
        Map<Node, Node> rewritten = new HashMap<>();
        Map<Node, List<Node>> behind = new HashMap<>();
        branches.forEach((tensor, readers) -> {
            Node producer = producers.get(tensor);
            Node branch = new Node(
                    nodes.fresh(producer.name() + SUFFIX),
                    "Identity",
                    List.of(tensor),
                    List.of(tensors.fresh(tensor + SUFFIX)),
                    Map.of());
            behind.computeIfAbsent(producer, node -> new ArrayList<>()).add(branch);
            for (Node reader : readers) {
                Node current = rewritten.getOrDefault(reader, reader);
                rewritten.put(
                        reader,
                        current.withInputs(current.inputs().stream()
                                .map(input -> input.equals(tensor) ? branch.output() : input)
                                .toList()));
            }
        });
        List<Node> all = new ArrayList<>();
        for (Node node : prepared.nodes()) {
            all.add(rewritten.getOrDefault(node, node));
            all.addAll(behind.getOrDefault(node, List.of()));
        }
        return prepared.withNodes(all);
    }

    /** Whether a node of a prepared graph is such a branch: any other Identity that is left there writes an output. */
    static boolean isBranch(Graph prepared, Node node) {
        return node.is("Identity") && !prepared.isOutput(node.output());
    }
}
