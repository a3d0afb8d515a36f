package dev.gptq.graph.pattern;

import dev.gptq.graph.Node;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Nodes that together are one function: nothing between them gets a quantizer, as nothing would if the exporter had written
 * it as one operator.
 *
 * @param nodes in graph order; the last one's output is the function's value
 */
public record Unit(Kind kind, List<Node> nodes) {
    /** What the function is. */
    public enum Kind {
        /** A function of each element, gated by a sigmoid of it or the like: swish, hard-swish. */
        GATED,
        /** Another function of each element: GELU, hard-sigmoid, an affine map, ... */
        ELEMENTWISE,
        /** Division by a norm or deviation: layer normalization and its relatives. */
        NORMALIZATION,
        /** Scale, mask and Softmax of an attention's scores. */
        ATTENTION
    }

    public Unit {
        nodes = List.copyOf(nodes);
    }

    /** The node whose output is the function's value. */
    public Node exit() {
        return nodes.get(nodes.size() - 1);
    }

    /** The tensors between the nodes. */
    public Set<String> inner() {
        return nodes.subList(0, nodes.size() - 1).stream().map(Node::output).collect(Collectors.toSet());
    }
}
