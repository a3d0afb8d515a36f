package dev.gptq.graph.pass;

import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Gives each layer its own kernel and bias constant, whatever other nodes read the same one: they are quantized and trained
 * per layer. The bias added behind a MatMul becomes a vector.
 */
final class WeightUnsharing {
    private WeightUnsharing() {}

    static Graph apply(Graph graph) {
        Map<String, List<Node>> consumers = graph.consumers();
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        Names names = Names.ofTensors(graph);
        List<Node> nodes = new ArrayList<>();
        Map<Node, Integer> biasAdds = biasAdds(graph);
        for (Node node : graph.nodes()) {
            List<String> inputs = new ArrayList<>(node.inputs());
            for (int i = 0; i < inputs.size(); i++) {
                boolean weight =
                        i == 1 && Layers.isLayer(graph, node) || i == 0 && ComparePoints.isEmbedding(graph, node);
                boolean bias = i == 2 && Layers.takesBias(node) || biasAdds.getOrDefault(node, -1) == i;
                if (!(weight || bias) || !graph.isConstant(inputs.get(i))) {
                    continue;
                }
                TensorData value = constants.get(inputs.get(i));
                boolean shared = consumers.get(inputs.get(i)).size() > 1 || occurrences(inputs, inputs.get(i)) > 1;
                boolean reshape = bias && value.rank() != 1;
                if (reshape || shared) {
                    inputs.set(i, names.fresh(inputs.get(i) + "." + node.name()));
                    constants.put(inputs.get(i), bias ? value.reshape(value.size()) : value);
                }
            }
            nodes.add(node.withInputs(inputs));
        }
        return graph.withConstants(constants).withNodes(nodes);
    }

    private static Map<Node, Integer> biasAdds(Graph graph) {
        Map<Node, Integer> adds = new LinkedHashMap<>();
        Map<String, List<Node>> consumers = graph.consumers();
        for (Node node : graph.nodes()) {
            Node add = ComparePoints.biasAddBehind(graph, node, consumers);
            if (add != null) {
                adds.put(add, add.input(0).equals(node.output()) ? 1 : 0);
            }
        }
        return adds;
    }

    private static long occurrences(List<String> inputs, String name) {
        return inputs.stream().filter(name::equals).count();
    }
}
