package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;

/** A node that computes y = x * factor + offset per channel: a BatchNormalization or a 1x1 depthwise convolution. */
record ChannelAffine(double[] factor, double[] offset) {
    /** What the node computes, or null when it is neither of the two. */
    static ChannelAffine of(Graph graph, Node node) {
        BatchNorm batchNorm = BatchNorm.of(graph, node);
        if (batchNorm != null) {
            double[] offset = new double[batchNorm.channels()];
            for (int i = 0; i < offset.length; i++) {
                offset[i] = batchNorm.offset(i);
            }
            return new ChannelAffine(batchNorm.factor(), offset);
        }
        Convolution depthwise = Convolution.of(graph, node);
        boolean scales = depthwise != null
                && depthwise.isPointwiseWithoutPadding()
                && depthwise.hasUnitStrides()
                && depthwise.groups() == depthwise.outputs()
                && depthwise.inputs() == 1;
        return scales
                ? new ChannelAffine(
                        doubles(depthwise.kernel().floats()),
                        doubles(depthwise.bias().floats()))
                : null;
    }

    private static double[] doubles(float[] values) {
        double[] result = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = values[i];
        }
        return result;
    }
}
