package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a BatchNormalization that no layer could take as Mul and Add with one constant per channel, shaped [C, 1, ...] as
 * many spatial dimensions as are known. Inputs of unknown rank keep the node.
 */
final class BatchNormRewrite {
    private BatchNormRewrite() {}

    static Graph apply(Graph graph) {
        Map<String, Integer> ranks = Ranks.of(graph);
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        Names tensors = Names.ofTensors(graph);
        Names nodeNames = Names.ofNodes(graph);
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            BatchNorm batchNorm = BatchNorm.of(graph, node);
            Integer rank = ranks.get(node.input(0));
            if (batchNorm == null || rank == null) {
                nodes.add(node);
                continue;
            }
            long[] shape = new long[rank - 1];
            Arrays.fill(shape, 1);
            shape[0] = batchNorm.channels();
            float[] factors = new float[batchNorm.channels()];
            float[] offsets = new float[batchNorm.channels()];
            for (int i = 0; i < factors.length; i++) {
                factors[i] = (float) batchNorm.factor()[i];
                offsets[i] = (float) batchNorm.offset(i);
            }
            String factor = tensors.fresh(node.name() + ".factor");
            String offset = tensors.fresh(node.name() + ".offset");
            String product = tensors.fresh(node.name() + ".product");
            constants.put(factor, TensorData.ofFloats(factors, shape));
            constants.put(offset, TensorData.ofFloats(offsets, shape));
            String multiply = nodeNames.fresh(node.name() + ".mul");
            nodes.add(new Node(multiply, "Mul", List.of(node.input(0), factor), List.of(product), Map.of()));
            nodes.add(new Node(node.name(), "Add", List.of(product, offset), List.of(node.output()), Map.of()));
        }
        return graph.withConstants(constants).withNodes(nodes);
    }
}
