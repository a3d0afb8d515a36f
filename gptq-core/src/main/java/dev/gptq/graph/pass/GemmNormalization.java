package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Multiplies alpha and beta of a Gemm into its constants and makes its bias a vector, so that it is a plain layer. */
final class GemmNormalization {
    private GemmNormalization() {}

    static Graph apply(Graph graph) {
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        Names names = Names.ofTensors(graph);
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            nodes.add(node.is("Gemm") ? normalize(graph, node, constants, names) : node);
        }
        return graph.withConstants(constants).withNodes(nodes);
    }

    private static Node normalize(Graph graph, Node node, Map<String, TensorData> constants, Names names) {
        TensorData weight = graph.constants().get(node.input(1));
        TensorData bias = graph.constants().get(node.input(2));
        if (!Layers.isLayer(graph, node) || weight.rank() != 2 || (node.hasInput(2) && bias == null)) {
            return node;
        }
        float[] vector = bias == null ? null : asVector(bias, Layers.outputChannels(node, weight));
        if (bias != null && vector == null) {
            return node;
        }
        List<String> inputs = new ArrayList<>(node.inputs());
        float alpha = node.real("alpha", 1);
        if (alpha != 1) {
            inputs.set(1, names.fresh(node.input(1) + ".scaled"));
            constants.put(inputs.get(1), TensorData.ofFloats(scaled(weight.floats(), alpha), weight.shape()));
        }
        float beta = node.real("beta", 1);
        if (bias != null && (beta != 1 || bias.rank() != 1 || bias.size() != vector.length)) {
            inputs.set(2, names.fresh(node.input(2) + ".scaled"));
            constants.put(inputs.get(2), TensorData.ofFloats(scaled(vector, beta), vector.length));
        }
        Map<String, Serializable> attributes = new HashMap<>(node.attributes());
        attributes.remove("alpha");
        attributes.remove("beta");
        return new Node(node.name(), node.opType(), inputs, node.outputs(), attributes);
    }

    /** The bias as one value per output, or null when it differs between rows. */
    private static float[] asVector(TensorData bias, int outputs) {
        if (bias.size() == outputs && (bias.rank() == 1 || bias.shape()[bias.rank() - 1] == outputs)) {
            return bias.floats();
        }
        if (bias.size() != 1) {
            return null;
        }
        float[] vector = new float[outputs];
        Arrays.fill(vector, bias.floats()[0]);
        return vector;
    }

    private static float[] scaled(float[] values, float factor) {
        float[] result = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = (float) ((double) values[i] * factor);
        }
        return result;
    }
}
