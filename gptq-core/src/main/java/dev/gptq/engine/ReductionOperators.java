package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import java.util.Arrays;
import java.util.Map;

/** Reductions over axes, and softmax. */
final class ReductionOperators {
    private ReductionOperators() {}

    static void addTo(Map<String, Operator> table) {
        table.put("ReduceMean", call -> reduce(call, true));
        table.put("ReduceSum", call -> reduce(call, false));
        table.put("Softmax", call -> call.x().softmax(call.axis("axis", -1, call.shape(0).length)));
        table.put("LogSoftmax", call -> call.x().logSoftmax(call.axis("axis", -1, call.shape(0).length)));
    }

    private static NDArray reduce(Call call, boolean mean) {
        long[] shape = call.shape(0);
        // Axes are an input of ReduceSum since opset 13 and of ReduceMean since 18, an attribute before.
        long[] given = call.longsOr(1, call.node().integers("axes", new long[0]));
        if (given.length == 0 && call.node().integer("noop_with_empty_axes", 0) != 0) {
            return Call.alias(call.x());
        }
        int[] axes = new int[given.length == 0 ? shape.length : given.length];
        Arrays.setAll(axes, i -> given.length == 0 ? i : call.normalizeAxis(given[i], shape.length));
        boolean keep = call.node().integer("keepdims", 1) != 0;
        if (!mean) {
            return call.x().sum(axes, keep);
        }
        if (axes.length == 1) {
            return call.x().mean(axes, keep);
        }
        long count = 1;
        for (int axis : axes) {
            count *= shape[axis];
        }
        return call.mean(call.x().sum(axes, keep), count);
    }
}
