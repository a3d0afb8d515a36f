package dev.gptq.export;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Raises a graph of opset 13 or later to a later one. Of the operators that graphs here hold, only reductions and Split
 * changed on the way, both at 18: axes became an input, and Split without sizes has to say how many outputs it has.
 */
final class OpsetRaising {
    private static final int AXES_AS_INPUT = 18;

    private static final Set<String> REDUCTIONS = Set.of(
            "ReduceMean",
            "ReduceMax",
            "ReduceMin",
            "ReduceProd",
            "ReduceL1",
            "ReduceL2",
            "ReduceLogSum",
            "ReduceLogSumExp",
            "ReduceSumSquare");

    private OpsetRaising() {}

    /** The same function at {@code opset}; a graph that is at or above it stays as it is. */
    static Graph raise(Graph graph, int opset) {
        if (opset <= graph.opset()) {
            return graph;
        }
        if (opset < AXES_AS_INPUT || graph.opset() >= AXES_AS_INPUT) {
            return at(opset, graph);
        }
        GraphEditor editor = new GraphEditor(graph);
        for (Node node : graph.nodes()) {
            if (REDUCTIONS.contains(node.opType())) {
                editor.add(axesAsInput(editor, node));
            } else if (node.is("Split") && !node.hasInput(1)) {
                editor.add(with(node, node.inputs(), "num_outputs", (long)
                        node.outputs().size()));
            } else {
                editor.add(node);
            }
        }
        return at(opset, editor.build());
    }

    private static Node axesAsInput(GraphEditor editor, Node node) {
        long[] axes = node.integers("axes", null);
        if (axes == null) {
            return node;
        }
        List<String> inputs = new ArrayList<>(node.inputs());
        inputs.add(editor.constant(node.output() + "_axes", TensorData.ofLongs(ElementType.INT64, axes, axes.length)));
        return with(node, inputs, "axes", null);
    }

    /** The node with other inputs and one attribute set, or removed when {@code value} is null. */
    private static Node with(Node node, List<String> inputs, String attribute, Serializable value) {
        Map<String, Serializable> attributes = new HashMap<>(node.attributes());
        if (value == null) {
            attributes.remove(attribute);
        } else {
            attributes.put(attribute, value);
        }
        return new Node(node.name(), node.opType(), inputs, node.outputs(), attributes);
    }

    private static Graph at(int opset, Graph graph) {
        return new Graph(
                graph.name(),
                opset,
                graph.inputs(),
                graph.outputs(),
                graph.constants(),
                graph.nodes(),
                graph.moments());
    }
}
