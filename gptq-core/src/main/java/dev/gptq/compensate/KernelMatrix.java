package dev.gptq.compensate;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A kernel as the matrices that rows of a layer's input are multiplied with, one per group: Conv sees patches of its input as
 * rows.
 *
 * @param name of its constant
 * @param node that multiplies with it
 * @param rows that it is multiplied with
 * @param groups number of matrices
 * @param depth rows of each, which the product sums over
 * @param outputs columns of each
 * @param depthFirst whether an input's weights lie side by side, as in MatMul, or an output's, as in Conv
 */
record KernelMatrix(String name, Node node, RowSource rows, int groups, int depth, int outputs, boolean depthFirst)
        implements Serializable {
    /**
     * The kernels of layers that are such matrices: not embedding tables, whose rows are picked, transposed
     * convolutions, nor products with several matrices.
     *
     * @param prepared has each kernel for one layer alone
     */
    static List<KernelMatrix> of(Graph prepared, List<ComparePoint> points) {
        Map<String, List<Node>> consumers = prepared.consumers();
        List<KernelMatrix> matrices = new ArrayList<>();
        for (ComparePoint point : points) {
            Node node = consumers.get(point.weight()).get(0);
            TensorData kernel = prepared.constants().get(point.weight());
            if (node.is("MatMul") && kernel.rank() == 2 || node.is("Gemm") || node.is("Conv")) {
                matrices.add(of(node, kernel));
            }
        }
        return matrices;
    }

    private static KernelMatrix of(Node node, TensorData kernel) {
        String name = node.input(1);
        long[] shape = kernel.shape();
        RowSource rows = RowSource.of(node, shape);
        if (node.is("Conv")) {
            int groups = (int) node.integer("group", 1);
            int depth = kernel.size() / (int) shape[0];
            return new KernelMatrix(name, node, rows, groups, depth, (int) shape[0] / groups, false);
        }
        boolean depthFirst = node.is("MatMul") || node.integer("transB", 0) == 0;
        int depth = (int) shape[depthFirst ? 0 : 1];
        return new KernelMatrix(name, node, rows, 1, depth, (int) shape[depthFirst ? 1 : 0], depthFirst);
    }

    /** Where a weight lies in the kernel's values. */
    int position(int group, int input, int output) {
        return depthFirst ? input * outputs + output : (group * outputs + output) * depth + input;
    }
}
