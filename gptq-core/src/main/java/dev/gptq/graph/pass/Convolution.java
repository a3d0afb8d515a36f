package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.Arrays;

/** A Conv with constant float32 kernel and bias vector, as the merging passes see it; any number of spatial dimensions. */
record Convolution(Node node, TensorData kernel, TensorData bias) {
    /** Kernel axes before the spatial ones. */
    private static final int SPATIAL = 2;

    /** The convolution a node is, or null when it is none with constant kernel and bias. */
    static Convolution of(Graph graph, Node node) {
        boolean plain = node != null
                && node.is("Conv")
                && Layers.isLayer(graph, node)
                && !graph.isConstant(node.input(0))
                && graph.isConstant(node.input(2));
        return plain
                ? new Convolution(
                        node,
                        graph.constants().get(node.input(1)),
                        graph.constants().get(node.input(2)))
                : null;
    }

    int outputs() {
        return (int) kernel.shape()[0];
    }

    /** Input channels of one group. */
    int inputs() {
        return (int) kernel.shape()[1];
    }

    int groups() {
        return (int) node.integer("group", 1);
    }

    /** Kernel elements per pair of channels. */
    int area() {
        return kernel.size() / (outputs() * inputs());
    }

    boolean isPointwise() {
        return area() == 1;
    }

    boolean hasUnitStrides() {
        return isUnit("strides");
    }

    boolean hasUnitDilations() {
        return isUnit("dilations");
    }

    /** Whether a pointwise convolution reads no padding: SAME needs none for a kernel of one element. */
    boolean isPointwiseWithoutPadding() {
        return isPointwise() && (!explicitPads() || Arrays.stream(pads()).allMatch(pad -> pad == 0));
    }

    /** Whether each output element stands over the kernel's centre: odd kernel, unit strides, half a kernel of padding. */
    boolean isCentred() {
        long[] sizes = Arrays.stream(kernel.shape(), SPATIAL, kernel.rank()).toArray();
        if (!hasUnitStrides() || Arrays.stream(sizes).anyMatch(size -> size % 2 == 0)) {
            return false;
        }
        if (!explicitPads()) {
            return !node.text("auto_pad", "").equals("VALID") || isPointwise();
        }
        long[] dilations = node.integers("dilations", ones(sizes.length));
        long[] pads = pads();
        for (int i = 0; i < sizes.length; i++) {
            long half = dilations[i] * (sizes[i] - 1) / 2;
            if (pads[i] != half || pads[sizes.length + i] != half) {
                return false;
            }
        }
        return true;
    }

    private boolean explicitPads() {
        return node.text("auto_pad", "NOTSET").equals("NOTSET");
    }

    private long[] pads() {
        return node.integers("pads", new long[2 * (kernel.rank() - SPATIAL)]);
    }

    private boolean isUnit(String attribute) {
        return Arrays.stream(node.integers(attribute, new long[0])).allMatch(value -> value == 1);
    }

    private static long[] ones(int count) {
        long[] ones = new long[count];
        Arrays.fill(ones, 1);
        return ones;
    }
}
