package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.List;
import java.util.Map;

/**
 * Makes a convolution and the 1x1 convolution behind it one (MCT, linear_collapsing): W[o,i] = sum over m of
 * W2[o,m] * W1[m,i], b = W2 * b1 + b2. Only where strides, dilations and groups are one, the second has no padding, nothing
 * else reads what is between, and the kernel does not get more elements than the two have. The result has the name, the
 * constants and the padding of the first convolution and the output of the second. Expects kernels and biases that are not
 * shared.
 */
final class LinearCollapsing {
    private LinearCollapsing() {}

    static Graph apply(Graph graph) {
        return Merging.untilNone(graph, LinearCollapsing::collapseOne);
    }

    private static Graph collapseOne(Graph graph) {
        Map<String, List<Node>> consumers = graph.consumers();
        for (Node node : graph.nodes()) {
            Convolution first = Convolution.of(graph, node);
            if (first == null || !isPlain(first)) {
                continue;
            }
            Convolution second = Convolution.of(graph, Layers.onlyReader(graph, consumers, node.output()));
            if (second != null && isPlain(second) && second.isPointwiseWithoutPadding() && !grows(first, second)) {
                Node collapsed = node.withOutputs(second.node().outputs());
                return Merging.merge(graph, second.node(), node, collapsed, collapsed(first, second));
            }
        }
        return null;
    }

    private static boolean isPlain(Convolution convolution) {
        return convolution.hasUnitStrides() && convolution.hasUnitDilations() && convolution.groups() == 1;
    }

    private static boolean grows(Convolution first, Convolution second) {
        long collapsed = (long) second.outputs() * first.inputs() * first.area();
        return collapsed > (long) first.kernel().size() + second.kernel().size();
    }

    private static Map<String, TensorData> collapsed(Convolution first, Convolution second) {
        int rowLength = first.inputs() * first.area();
        int between = first.outputs();
        int outputs = second.outputs();
        float[] mixing = second.kernel().floats();
        float[] kernel = new float[outputs * rowLength];
        float[] bias = new float[outputs];
        for (int output = 0; output < outputs; output++) {
            double[] row = new double[rowLength];
            double sum = second.bias().floats()[output];
            for (int middle = 0; middle < between; middle++) {
                double factor = mixing[output * between + middle];
                sum += factor * first.bias().floats()[middle];
                for (int i = 0; i < rowLength; i++) {
                    row[i] += factor * first.kernel().floats()[middle * rowLength + i];
                }
            }
            bias[output] = (float) sum;
            for (int i = 0; i < rowLength; i++) {
                kernel[output * rowLength + i] = (float) row[i];
            }
        }
        long[] shape = first.kernel().shape();
        shape[0] = outputs;
        return Map.of(
                first.node().input(1), TensorData.ofFloats(kernel, shape),
                first.node().input(2), TensorData.ofFloats(bias, outputs));
    }
}
