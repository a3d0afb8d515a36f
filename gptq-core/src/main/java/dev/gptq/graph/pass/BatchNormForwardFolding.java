package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Folds a BatchNormalization or a 1x1 depthwise convolution, y = x * f + o per channel, into the ungrouped 1x1 convolution
 * behind it, or into another 1x1 depthwise one (MCT, batchnorm forward folding): W'[k,c] = W[k,c] * f[c], b'[k] = b[k] + sum
 * over c of W[k,c] * o[c]. Only where nothing else reads y, and without padding: where the convolution reads zeros, the offset
 * is missing. The convolution keeps its name. Expects kernels and biases that are not shared.
 */
final class BatchNormForwardFolding {
    private BatchNormForwardFolding() {}

    static Graph apply(Graph graph) {
        return Merging.untilNone(graph, BatchNormForwardFolding::foldOne);
    }

    private static Graph foldOne(Graph graph) {
        Map<String, List<Node>> consumers = graph.consumers();
        for (Node node : graph.nodes()) {
            Node reader = Layers.onlyReader(graph, consumers, node.output());
            Convolution convolution = Convolution.of(graph, reader);
            if (convolution == null
                    || !convolution.isPointwiseWithoutPadding()
                    || convolution.groups() != 1 && convolution.inputs() != 1) {
                continue;
            }
            ChannelAffine affine = ChannelAffine.of(graph, node);
            if (affine != null && affine.factor().length == convolution.inputs() * convolution.groups()) {
                List<String> inputs = new ArrayList<>(reader.inputs());
                inputs.set(0, node.input(0));
                return Merging.merge(graph, node, reader, reader.withInputs(inputs), folded(convolution, affine));
            }
        }
        return null;
    }

    private static Map<String, TensorData> folded(Convolution convolution, ChannelAffine affine) {
        float[] kernel = convolution.kernel().floats().clone();
        float[] bias = convolution.bias().floats().clone();
        int inputs = convolution.inputs();
        int outputsPerGroup = convolution.outputs() / convolution.groups();
        for (int output = 0; output < bias.length; output++) {
            double sum = bias[output];
            int firstChannel = output / outputsPerGroup * inputs;
            for (int input = 0; input < inputs; input++) {
                int element = output * inputs + input;
                sum += kernel[element] * affine.offset()[firstChannel + input];
                kernel[element] = (float) (kernel[element] * affine.factor()[firstChannel + input]);
            }
            bias[output] = (float) sum;
        }
        return Map.of(
                convolution.node().input(1),
                TensorData.ofFloats(kernel, convolution.kernel().shape()),
                convolution.node().input(2),
                TensorData.ofFloats(bias, bias.length));
    }
}
