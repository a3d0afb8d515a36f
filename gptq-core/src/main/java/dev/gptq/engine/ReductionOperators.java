package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import java.util.Arrays;
import java.util.Map;

/** Reductions over axes, and softmax. */
final class ReductionOperators {
    private ReductionOperators() {}

    /** Reduces {@code x} over {@code axes}, which are kept as dimensions of 1. */
    private interface Reduction {
        NDArray apply(Call call, NDArray x, int[] axes);
    }

    static void addTo(Map<String, Operator> table) {
        put(table, "ReduceMean", ReductionOperators::mean);
        put(table, "ReduceSum", (call, x, axes) -> x.sum(axes, true));
        put(table, "ReduceMax", ReductionOperators::max);
        put(table, "ReduceMin", (call, x, axes) -> axisByAxis(x, axes, NDArray::min));
        put(table, "ReduceProd", (call, x, axes) -> axisByAxis(x, axes, NDArray::prod));
        put(table, "ReduceL1", (call, x, axes) -> x.abs().sum(axes, true));
        put(table, "ReduceL2", (call, x, axes) -> x.mul(x).sum(axes, true).sqrt());
        put(table, "ReduceSumSquare", (call, x, axes) -> x.mul(x).sum(axes, true));
        put(table, "ReduceLogSum", (call, x, axes) -> x.sum(axes, true).log());
        put(table, "ReduceLogSumExp", ReductionOperators::logSumExp);
        table.put("Softmax", call -> call.x().softmax(call.axis("axis", -1, call.shape(0).length)));
        table.put("LogSoftmax", call -> call.x().logSoftmax(call.axis("axis", -1, call.shape(0).length)));
    }

    private static void put(Map<String, Operator> table, String name, Reduction reduction) {
        table.put(name, call -> reduce(call, reduction));
    }

    private static NDArray reduce(Call call, Reduction reduction) {
        long[] shape = call.shape(0);
        // Axes are an input of ReduceSum since opset 13 and of the others since 18, an attribute before.
        long[] given = call.longsOr(1, call.node().integers("axes", new long[0]));
        if (given.length == 0 && call.node().integer("noop_with_empty_axes", 0) != 0) {
            return Call.alias(call.x());
        }
        int[] axes = new int[given.length == 0 ? shape.length : given.length];
        Arrays.setAll(axes, i -> given.length == 0 ? i : call.normalizeAxis(given[i], shape.length));
        if (axes.length == 0) {
            // A scalar: functions of one value remain to be computed.
            return Call.reshape(reduction.apply(call, Call.reshape(call.x(), 1), new int[1]));
        }
        NDArray reduced = reduction.apply(call, call.x(), axes);
        if (reduced.getDataType() != call.x().getDataType()) {
            // PyTorch sums integers as INT64.
            reduced = reduced.toType(call.x().getDataType(), false);
        }
        return call.node().integer("keepdims", 1) != 0 ? reduced : withoutAxes(reduced, shape, axes);
    }

    private static NDArray withoutAxes(NDArray reduced, long[] shape, int[] axes) {
        boolean[] dropped = new boolean[shape.length];
        for (int axis : axes) {
            dropped[axis] = true;
        }
        long[] kept = new long[shape.length];
        int count = 0;
        for (int i = 0; i < shape.length; i++) {
            if (!dropped[i]) {
                kept[count++] = shape[i];
            }
        }
        return Call.reshape(reduced, Arrays.copyOf(kept, count));
    }

    private static NDArray mean(Call call, NDArray x, int[] axes) {
        if (axes.length == 1) {
            return x.mean(axes, true);
        }
        long count = 1;
        for (int axis : axes) {
            count *= x.getShape().get(axis);
        }
        return call.mean(x.sum(axes, true), count);
    }

    private static NDArray max(Call call, NDArray x, int[] axes) {
        return axisByAxis(x, axes, NDArray::max);
    }

    private static NDArray logSumExp(Call call, NDArray x, int[] axes) {
        NDArray largest = Autograd.detach(max(call, x, axes));
        return x.sub(largest).exp().sum(axes, true).log().add(largest);
    }

    /** DJL reduces by these functions over one axis at a time. */
    private static NDArray axisByAxis(NDArray x, int[] axes, OneAxis function) {
        NDArray result = x;
        for (int axis : axes) {
            result = function.apply(result, new int[] {axis}, true);
        }
        return result;
    }

    private interface OneAxis {
        NDArray apply(NDArray x, int[] axis, boolean keep);
    }
}
