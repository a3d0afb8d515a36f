package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import java.util.Arrays;
import java.util.Map;

/** Operators that pick elements: Gather and Slice. */
final class IndexOperators {
    private IndexOperators() {}

    static void addTo(Map<String, Operator> table) {
        table.put("Gather", IndexOperators::gather);
        table.put("Slice", IndexOperators::slice);
    }

    private static NDArray gather(Call call) {
        long[] shape = call.shape(0);
        int axis = call.axis("axis", 0, shape.length);
        long[] indices = call.longs(1).clone();
        for (int i = 0; i < indices.length; i++) {
            indices[i] += indices[i] < 0 ? shape[axis] : 0;
            if (indices[i] < 0 || indices[i] >= shape[axis]) {
                throw call.failure("an index is outside dimension " + axis + " of shape " + Arrays.toString(shape));
            }
        }
        long[] indexShape = call.shape(1);
        long[] result = new long[shape.length - 1 + indexShape.length];
        System.arraycopy(shape, 0, result, 0, axis);
        System.arraycopy(indexShape, 0, result, axis, indexShape.length);
        System.arraycopy(shape, axis + 1, result, axis + indexShape.length, shape.length - axis - 1);
        if (indices.length == 1) {
            return Call.reshape(slice(call.x(), axis, indices[0], indices[0] + 1, 1), result);
        }
        return Call.reshape(pick(call, call.x(), axis, indices), result);
    }

    /** Rows of a matrix by number. */
    static NDArray rows(Call call, NDArray matrix, long[] numbers) {
        return matrix.getNDArrayInternal()
                .embedding(call.manager().create(numbers), matrix, SparseFormat.DENSE)
                .get(0);
    }

    /** Elements of one axis of {@code x} by position. */
    static NDArray pick(Call call, NDArray x, int axis, long[] positions) {
        long[] shape = x.getShape().getShape().clone();
        long before = Arrays.stream(shape, 0, axis).reduce(1, (a, b) -> a * b);
        long after = Arrays.stream(shape, axis + 1, shape.length).reduce(1, (a, b) -> a * b);
        NDArray table = Call.reshape(
                Call.reshape(x, before, shape[axis], after).transpose(1, 0, 2), shape[axis], before * after);
        NDArray picked = rows(call, table, positions);
        shape[axis] = positions.length;
        return Call.reshape(
                Call.reshape(picked, positions.length, before, after).transpose(1, 0, 2), shape);
    }

    private static NDArray slice(Call call) {
        long[] shape = call.shape(0);
        long[] starts = call.longs(1);
        long[] ends = call.longs(2);
        long[] axes = call.longsOr(3, null);
        long[] steps = call.longsOr(4, null);
        NDArray result = call.x();
        for (int i = 0; i < starts.length; i++) {
            int axis = axes == null ? i : call.normalizeAxis(axes[i], shape.length);
            long step = steps == null ? 1 : steps[i];
            if (step == 0) {
                throw call.failure("a step is 0");
            }
            result = slice(result, axis, starts[i], ends[i], step);
        }
        return result == call.x() ? Call.alias(result) : result;
    }

    /** The elements of one axis as ONNX's Slice names them. */
    static NDArray slice(NDArray x, int axis, long start, long end, long step) {
        long size = x.getShape().get(axis);
        long from = start < 0 ? start + size : start;
        long to = end < 0 ? end + size : end;
        if (step < 0) {
            // PyTorch steps forward only: turn the axis round and count from its other end.
            long last = size - 1;
            from = Math.max(0, Math.min(last, from));
            to = end < -size ? -1 : Math.max(-1, Math.min(last, to));
            return slice(x.flip(axis), axis, last - from, last - to, -step);
        }
        from = Math.max(0, Math.min(size, from));
        if (from == 0 && to >= size && step == 1) {
            return x;
        }
        to = Math.max(from, Math.min(size, to));
        if (from == to) {
            long[] empty = x.getShape().getShape().clone();
            empty[axis] = 0;
            return x.getManager().create(new Shape(empty), x.getDataType());
        }
        NDIndex index = new NDIndex();
        for (int i = 0; i < x.getShape().dimension(); i++) {
            if (i == axis) {
                index.addSliceDim(from, to, step);
            } else {
                index.addAllDim();
            }
        }
        return x.get(index);
    }
}
