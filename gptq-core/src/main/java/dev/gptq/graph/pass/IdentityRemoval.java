package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Removes nodes that pass their input on: Identity, and Dropout, which does nothing at inference. */
final class IdentityRemoval {
    private IdentityRemoval() {}

    static Graph apply(Graph graph) {
        Map<String, Node> producers = graph.producers();
        Map<String, String> renamed = new HashMap<>();
        List<Node> kept = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (!isIdentity(node)) {
                kept.add(node);
                continue;
            }
            String source = resolve(node.input(0), renamed);
            if (!graph.isOutput(node.output())) {
                renamed.put(node.output(), source);
            } else if (producers.containsKey(source) && !graph.isOutput(source)) {
                // The graph's output keeps its name: what the Identity read takes it over.
                renamed.put(source, node.output());
            } else {
                kept.add(node);
            }
        }
        return graph.withNodes(kept.stream().map(node -> rename(node, renamed)).toList());
    }

    private static boolean isIdentity(Node node) {
        return node.is("Identity") || node.is("Dropout") && node.outputs().size() == 1;
    }

    private static Node rename(Node node, Map<String, String> renamed) {
        List<String> inputs =
                node.inputs().stream().map(input -> resolve(input, renamed)).toList();
        List<String> outputs =
                node.outputs().stream().map(output -> resolve(output, renamed)).toList();
        // An Identity that stays copies one output to another and must keep writing its own.
        return node.withInputs(inputs).withOutputs(isIdentity(node) ? node.outputs() : outputs);
    }

    private static String resolve(String tensor, Map<String, String> renamed) {
        String current = tensor;
        while (renamed.containsKey(current)) {
            current = renamed.get(current);
        }
        return current;
    }
}
