package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import java.util.HashSet;
import java.util.Set;

/** Makes names that a graph does not use yet. */
public final class Names {
    private final Set<String> taken;

    private Names(Set<String> taken) {
        this.taken = taken;
    }

    /** For tensors of {@code graph}. */
    public static Names ofTensors(Graph graph) {
        Set<String> taken = new HashSet<>(graph.constants().keySet());
        graph.inputs().forEach(input -> taken.add(input.name()));
        for (Node node : graph.nodes()) {
            taken.addAll(node.outputs());
            node.subgraphs().values().forEach(body -> taken.addAll(body.locals()));
        }
        return new Names(taken);
    }

    /** For nodes of {@code graph}. */
    public static Names ofNodes(Graph graph) {
        Set<String> taken = new HashSet<>();
        for (Node node : graph.nodes()) {
            taken.add(node.name());
        }
        return new Names(taken);
    }

    /** {@code stem}, or where that is taken the first free of stem_1, stem_2, ... */
    public String fresh(String stem) {
        String name = stem;
        for (int i = 1; !taken.add(name); i++) {
            name = stem + "_" + i;
        }
        return name;
    }
}
