package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.OutputMoments;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Folds BatchNormalization into the Conv, ConvTranspose or Gemm before it (MCT, batchnorm_folding): W' = W * gamma /
 * sqrt(var + eps), b' = beta + (b - mean) * gamma / sqrt(var + eps). Only where nothing else reads the layer's output. The
 * layer takes over the output of the normalization, and the graph its moments. Expects kernels and biases that are not shared.
 */
final class BatchNormFolding {
    private BatchNormFolding() {}

    static Graph apply(Graph graph) {
        Map<String, List<Node>> consumers = graph.consumers();
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        Map<Node, String> newOutputs = new HashMap<>();
        Set<Node> folded = new HashSet<>();
        Map<String, OutputMoments> moments = new HashMap<>(graph.moments());
        for (Node layer : graph.nodes()) {
            if (!Layers.takesBias(layer) || !Layers.isLayer(graph, layer) || !graph.isConstant(layer.input(2))) {
                continue;
            }
            Node normalization = Layers.onlyReader(graph, consumers, layer.output());
            if (normalization == null || !normalization.input(0).equals(layer.output())) {
                continue;
            }
            BatchNorm batchNorm = BatchNorm.of(graph, normalization);
            TensorData weight = constants.get(layer.input(1));
            TensorData bias = constants.get(layer.input(2));
            if (batchNorm == null || Layers.outputChannels(layer, weight) != batchNorm.channels()) {
                continue;
            }
            constants.put(layer.input(1), foldWeight(layer, weight, batchNorm));
            constants.put(layer.input(2), foldBias(bias, batchNorm));
            newOutputs.put(layer, normalization.output());
            folded.add(normalization);
            moments.put(normalization.output(), batchNorm.moments());
        }
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (newOutputs.containsKey(node)) {
                nodes.add(node.withOutputs(List.of(newOutputs.get(node))));
            } else if (!folded.contains(node)) {
                nodes.add(node);
            }
        }
        return graph.withConstants(constants).withNodes(nodes).withMoments(moments);
    }

    private static TensorData foldWeight(Node layer, TensorData weight, BatchNorm batchNorm) {
        int[] channels = Layers.channelOfElement(layer, weight);
        float[] old = weight.floats();
        float[] values = new float[old.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (old[i] * batchNorm.factor()[channels[i]]);
        }
        return TensorData.ofFloats(values, weight.shape());
    }

    private static TensorData foldBias(TensorData bias, BatchNorm batchNorm) {
        float[] old = bias.floats();
        float[] values = new float[old.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (batchNorm.beta()[i]
                    + (old[i] - batchNorm.mean()[i]) * batchNorm.factor()[i]);
        }
        return TensorData.ofFloats(values, bias.shape());
    }
}
