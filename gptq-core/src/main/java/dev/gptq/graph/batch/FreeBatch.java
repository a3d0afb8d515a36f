package dev.gptq.graph.batch;

import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.graph.pass.GraphPreparation;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Makes a fixed batch dimension dynamic: that of inputs and outputs, and what constants of the graph repeat of it, see
 * {@link BatchRewrites}. That the graph then does for each sample what it did is tried out with random samples.
 */
public final class FreeBatch {
    private FreeBatch() {}

    /** The first input whose batch size is fixed, or null. */
    public static ValueInfo fixedInput(Graph graph) {
        return graph.inputs().stream().filter(FreeBatch::isFixed).findFirst().orElse(null);
    }

    /**
     * The graph with a dynamic batch dimension, at opset 13 or later; one that has a dynamic one already is returned as it is.
     *
     * @param source the model's name in messages
     * @throws GptqException UNSUPPORTED_MODEL that names the node which does not treat samples one by one
     */
    public static Graph apply(Graph graph, String source) {
        ValueInfo fixed = fixedInput(graph);
        if (fixed == null) {
            return graph;
        }
        long batch = fixed.shape()[0];
        String start = String.format(
                "Cannot quantize '%s': input '%s' has the fixed shape %s, and its first dimension is no batch that could be"
                        + " of any size: ",
                source, fixed.name(), Arrays.toString(fixed.shape()));
        String remedy = " Export the model with a dynamic batch dimension in front.";
        try {
            return tried(graph, batch);
        } catch (NoBatchException e) {
            throw GptqException.unsupported("%s", start + e.getMessage() + "." + remedy);
        }
    }

    private static Graph tried(Graph graph, long batch) throws NoBatchException {
        if (batch == 0) {
            throw new NoBatchException("it is zero");
        }
        for (ValueInfo input : graph.inputs()) {
            if (input.shape().length == 0 || isFixed(input) && input.shape()[0] != batch) {
                throw new NoBatchException(
                        "input '" + input.name() + "' has another one in its shape " + Arrays.toString(input.shape()));
            }
        }
        // Inputs first: a Shape of an input without dynamic dimensions would be folded into a constant.
        List<ValueInfo> inputs = graph.inputs().stream().map(FreeBatch::free).toList();
        Graph open = GraphPreparation.normalize(with(graph, inputs, graph.outputs()));
        List<Map<String, TensorData>> samples = SampleBatches.of(open, batch);
        Graph free = new BatchTrial(open, batch, samples).run();
        List<ValueInfo> outputs = free.outputs().stream().map(FreeBatch::free).toList();
        // Once more, for the constants that nothing reads now.
        return GraphPreparation.normalize(with(free, free.inputs(), outputs));
    }

    private static Graph with(Graph graph, List<ValueInfo> inputs, List<ValueInfo> outputs) {
        return new Graph(
                graph.name(), graph.opset(), inputs, outputs, graph.constants(), graph.nodes(), graph.moments());
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
