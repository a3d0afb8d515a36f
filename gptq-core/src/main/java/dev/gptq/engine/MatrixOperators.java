package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import dev.gptq.graph.Node;
import java.util.Map;

/** Matrix products. */
final class MatrixOperators {
    private MatrixOperators() {}

    static void addTo(Map<String, Operator> table) {
        table.put("Gemm", MatrixOperators::gemm);
        table.put("MatMul", call -> call.input(0).matMul(call.input(1)));
    }

    private static NDArray gemm(Call call) {
        Node node = call.node();
        NDArray a = node.integer("transA", 0) != 0 ? call.input(0).transpose() : call.input(0);
        NDArray b = call.input(1);
        NDArray c = call.optional(2);
        boolean transposed = node.integer("transB", 0) != 0;
        float alpha = node.real("alpha", 1);
        float beta = node.real("beta", 1);
        if (alpha == 1
                && beta == 1
                && (c == null || c.getShape().dimension() == 1 && c.size() == columns(b, transposed))) {
            return a.getNDArrayInternal()
                    .linear(a, transposed ? b : b.transpose(), c)
                    .get(0);
        }
        NDArray product = a.matMul(transposed ? b.transpose() : b);
        NDArray scaled = alpha == 1 ? product : call.times(product, alpha);
        if (c == null) {
            return scaled;
        }
        return scaled.add(beta == 1 ? c : call.times(c, beta));
    }

    private static long columns(NDArray b, boolean transposed) {
        return b.getShape().get(transposed ? 0 : 1);
    }
}
