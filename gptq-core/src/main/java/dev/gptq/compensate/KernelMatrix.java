package dev.gptq.compensate;

import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * A kernel as the matrices that rows of a layer's input are multiplied with, one per group: Conv sees patches of its input as
 * rows.
 *
 * @param quantizer of the kernel
 * @param readers the nodes that multiply with the kernel; usually one
 * @param groups number of matrices
 * @param depth rows of each, which the product sums over
 * @param outputs columns of each
 * @param depthFirst whether an input's weights lie side by side, as in MatMul, or an output's, as in Conv
 */
record KernelMatrix(
        WeightQuantizer quantizer, List<Node> readers, int groups, int depth, int outputs, boolean depthFirst)
        implements Serializable {
    /**
     * The kernels of a plan that are such matrices: not embedding tables, whose rows are picked, nor transposed convolutions.
     */
    static List<KernelMatrix> of(Graph graph, List<WeightQuantizer> quantizers) {
        List<KernelMatrix> matrices = new ArrayList<>();
        for (WeightQuantizer quantizer : quantizers) {
            String weight = quantizer.point().weight();
            List<Node> readers = graph.nodes().stream()
                    .filter(node -> node.inputs().contains(weight))
                    .toList();
            if (!readers.isEmpty()
                    && readers.stream().allMatch(node -> multipliesAsFirst(node, readers.get(0), weight))) {
                matrices.add(of(quantizer, readers, graph.constants().get(weight)));
            }
        }
        return matrices;
    }

    private static boolean multipliesAsFirst(Node node, Node first, String weight) {
        boolean layer = node.is("MatMul") || node.is("Gemm") || node.is("Conv");
        return layer
                && node.is(first.opType())
                && node.input(1).equals(weight)
                && !node.input(0).equals(weight)
                && node.integer("transB", 0) == first.integer("transB", 0)
                && groups(node) == groups(first);
    }

    private static KernelMatrix of(WeightQuantizer quantizer, List<Node> readers, TensorData kernel) {
        Node node = readers.get(0);
        long[] shape = kernel.shape();
        if (node.is("Conv")) {
            int groups = groups(node);
            int outputs = (int) shape[0] / groups;
            return new KernelMatrix(quantizer, readers, groups, kernel.size() / (int) shape[0], outputs, false);
        }
        boolean depthFirst = node.is("MatMul") || node.integer("transB", 0) == 0;
        int depth = (int) shape[depthFirst ? 0 : 1];
        return new KernelMatrix(quantizer, readers, 1, depth, (int) shape[depthFirst ? 1 : 0], depthFirst);
    }

    private static int groups(Node node) {
        return (int) node.integer("group", 1);
    }

    /** The kernel's constant. */
    String name() {
        return quantizer.point().weight();
    }

    /** Where a weight lies in the kernel's values. */
    int position(int group, int input, int output) {
        return depthFirst ? input * outputs + output : (group * outputs + output) * depth + input;
    }

    /** Numbers in the second moments of the layer's input. */
    long momentCount() {
        return (long) groups * depth * depth;
    }
}
