package dev.gptq.graph.pass;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a fixed batch dimension dynamic: that of inputs and outputs, and the first dimension of constant shapes that Reshape
 * gives to what depends on an input. Whether the graph then does for each sample what it did has to be tried, see
 * {@link dev.gptq.evaluate.FreeBatchCheck}.
 */
public final class FreeBatch {
    /** In a Reshape: as in the input. */
    private static final long SAME = 0;

    private FreeBatch() {}

    /** The first input whose batch size is fixed, or null. */
    public static ValueInfo fixedInput(Graph graph) {
        return graph.inputs().stream().filter(FreeBatch::isFixed).findFirst().orElse(null);
    }

    /** The graph with a dynamic batch dimension; one that has none already is returned as it is. */
    public static Graph apply(Graph graph) {
        ValueInfo fixed = fixedInput(graph);
        if (fixed == null) {
            return graph;
        }
        long batch = fixed.shape()[0];
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        Names names = Names.ofTensors(graph);
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            TensorData shape = node.is("Reshape") ? constants.get(node.input(1)) : null;
            boolean takesBatch = shape != null
                    && shape.size() > 0
                    && shape.longs()[0] == batch
                    && node.integer("allowzero", 0) == 0
                    && !graph.isConstant(node.input(0));
            if (!takesBatch) {
                nodes.add(node);
                continue;
            }
            long[] free = shape.longs().clone();
            free[0] = SAME;
            List<String> inputs = new ArrayList<>(node.inputs());
            inputs.set(1, names.fresh(node.input(1) + "_any_batch"));
            constants.put(inputs.get(1), TensorData.ofLongs(ElementType.INT64, free, free.length));
            nodes.add(node.withInputs(inputs));
        }
        return new Graph(
                graph.name(),
                graph.opset(),
                graph.inputs().stream().map(FreeBatch::free).toList(),
                graph.outputs().stream().map(FreeBatch::free).toList(),
                constants,
                nodes,
                graph.moments());
    }

    private static boolean isFixed(ValueInfo value) {
        return value.shape() != null && value.shape().length > 0 && value.shape()[0] >= 0;
    }

    private static ValueInfo free(ValueInfo value) {
        if (!isFixed(value)) {
            return value;
        }
        long[] shape = value.shape().clone();
        shape[0] = -1;
        return new ValueInfo(value.name(), value.type(), shape);
    }
}
