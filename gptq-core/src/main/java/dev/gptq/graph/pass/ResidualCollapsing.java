package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.List;
import java.util.Map;

/**
 * Writes conv(x) + x as one convolution, with 1 added on the diagonal of its kernel's centre (MCT, residual
 * collapsing; MCT finds torch.add only, here any Add is found, in either order). Only where the convolution keeps channels
 * and size, has one group, and nothing else reads its output. The convolution keeps its name and takes over the output of
 * the Add. Expects kernels that are not shared.
 */
final class ResidualCollapsing {
    private ResidualCollapsing() {}

    static Graph apply(Graph graph) {
        return Merging.untilNone(graph, ResidualCollapsing::collapseOne);
    }

    private static Graph collapseOne(Graph graph) {
        Map<String, List<Node>> consumers = graph.consumers();
        for (Node node : graph.nodes()) {
            Convolution convolution = Convolution.of(graph, node);
            if (convolution == null
                    || convolution.inputs() != convolution.outputs()
                    || convolution.groups() != 1
                    || !convolution.isCentred()) {
                continue;
            }
            Node add = Layers.onlyReader(graph, consumers, node.output());
            if (add != null && add.is("Add") && add.inputs().contains(node.input(0))) {
                Map<String, TensorData> kernel = Map.of(node.input(1), withIdentity(convolution));
                return Merging.merge(graph, add, node, node.withOutputs(add.outputs()), kernel);
            }
        }
        return null;
    }

    private static TensorData withIdentity(Convolution convolution) {
        float[] kernel = convolution.kernel().floats().clone();
        int area = convolution.area();
        for (int channel = 0; channel < convolution.outputs(); channel++) {
            kernel[(channel * convolution.inputs() + channel) * area + area / 2] += 1;
        }
        return TensorData.ofFloats(kernel, convolution.kernel().shape());
    }
}
