package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Gives convolutions and Gemms without a bias one of zeros, which training may move. */
final class BiasInsertion {
    private BiasInsertion() {}

    static Graph apply(Graph graph) {
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        Names names = Names.ofTensors(graph);
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (!Layers.takesBias(node) || !Layers.isLayer(graph, node) || node.hasInput(2)) {
                nodes.add(node);
                continue;
            }
            String bias = names.fresh(node.name() + ".bias");
            int channels = Layers.outputChannels(node, constants.get(node.input(1)));
            constants.put(bias, TensorData.ofFloats(new float[channels], channels));
            nodes.add(node.withInputs(List.of(node.input(0), node.input(1), bias)));
        }
        return graph.withConstants(constants).withNodes(nodes);
    }
}
