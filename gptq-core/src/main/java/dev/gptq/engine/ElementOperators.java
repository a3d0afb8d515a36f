package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.Map;

/** Operators that pick or replace single elements or rows by index. */
final class ElementOperators {
    private ElementOperators() {}

    static void addTo(Map<String, Operator> table) {
        table.put("GatherElements", ElementOperators::gatherElements);
        table.put("GatherND", ElementOperators::gatherRows);
        table.put("ScatterElements", ElementOperators::scatterElements);
        table.put("ScatterND", ElementOperators::scatterRows);
        table.put("CumSum", ElementOperators::cumulativeSum);
    }

    private static NDArray gatherElements(Call call) {
        int axis = call.axis("axis", 0, call.shape(0).length);
        return call.x().gather(indices(call, call.shape(0)[axis]), axis);
    }

    private static NDArray scatterElements(Call call) {
        int axis = call.axis("axis", 0, call.shape(0).length);
        return replace(call, call.x(), indices(call, call.shape(0)[axis]), call.input(2), axis);
    }

    /**
     * {@code data} with {@code updates} at {@code index} along {@code axis}; DJL's own scatter has no gradient for the data.
     */
    private static NDArray replace(Call call, NDArray data, NDArray index, NDArray updates, int axis) {
        NDArray placed = data.zerosLike().scatter(index, updates, axis);
        NDArray marks = call.manager().zeros(data.getShape(), DataType.FLOAT32);
        NDArray ones = call.manager().ones(index.getShape(), DataType.FLOAT32);
        return placed.getNDArrayInternal()
                .where(marks.scatter(index, ones, axis).gt(0), data);
    }

    /** Input 1 as int64 counted from the front; fails where PyTorch would read outside the tensor. */
    private static NDArray indices(Call call, long size) {
        long[] values = call.longs(1).clone();
        for (int i = 0; i < values.length; i++) {
            values[i] += values[i] < 0 ? size : 0;
            if (values[i] < 0 || values[i] >= size) {
                throw call.failure("an index is outside a dimension of size " + size);
            }
        }
        return call.manager().create(values, new Shape(call.shape(1)));
    }

    private static NDArray gatherRows(Call call) {
        long[] shape = call.shape(0);
        long[] indexShape = call.shape(1);
        int batch = (int) call.node().integer("batch_dims", 0);
        int depth = (int) indexShape[indexShape.length - 1];
        long[] rows = rowNumbers(call, shape, indexShape, batch);
        long inner = product(shape, batch + depth, shape.length);
        NDArray table = Call.reshape(call.x(), -1, inner);
        NDArray picked = IndexOperators.rows(call, table, rows);
        long[] result = Arrays.copyOf(indexShape, indexShape.length - 1 + shape.length - batch - depth);
        System.arraycopy(shape, batch + depth, result, indexShape.length - 1, shape.length - batch - depth);
        return Call.reshape(picked, result);
    }

    private static NDArray scatterRows(Call call) {
        long[] shape = call.shape(0);
        long[] indexShape = call.shape(1);
        int depth = (int) indexShape[indexShape.length - 1];
        long[] rows = rowNumbers(call, shape, indexShape, 0);
        long inner = product(shape, depth, shape.length);
        NDArray table = Call.reshape(call.x(), -1, inner);
        NDArray index = call.manager().create(rows, new Shape(rows.length, 1)).broadcast(new Shape(rows.length, inner));
        NDArray updates = Call.reshape(call.input(2), rows.length, inner);
        return Call.reshape(replace(call, table, index, updates, 0), shape);
    }

    /** For each index tuple, the number of the row it names when the named dimensions are joined into one. */
    private static long[] rowNumbers(Call call, long[] shape, long[] indexShape, int batch) {
        int depth = (int) indexShape[indexShape.length - 1];
        long[] indices = call.longs(1);
        int tuples = depth == 0 ? (int) product(indexShape, 0, indexShape.length - 1) : indices.length / depth;
        long batches = product(shape, 0, batch);
        long[] rows = new long[tuples];
        for (int i = 0; i < tuples; i++) {
            long row = batch == 0 ? 0 : i / (tuples / batches);
            for (int j = 0; j < depth; j++) {
                long size = shape[batch + j];
                long index = indices[i * depth + j];
                index += index < 0 ? size : 0;
                if (index < 0 || index >= size) {
                    throw call.failure("an index is outside shape " + Arrays.toString(shape));
                }
                row = row * size + index;
            }
            rows[i] = row;
        }
        return rows;
    }

    private static long product(long[] shape, int from, int to) {
        return Arrays.stream(shape, from, to).reduce(1, (a, b) -> a * b);
    }

    private static NDArray cumulativeSum(Call call) {
        int axis = call.normalizeAxis(call.longs(1)[0], call.shape(0).length);
        boolean reverse = call.node().integer("reverse", 0) != 0;
        NDArray x = reverse ? call.x().flip(axis) : call.x();
        NDArray sum = x.cumSum(axis);
        if (call.node().integer("exclusive", 0) != 0) {
            sum = sum.sub(x);
        }
        DataType type = call.x().getDataType();
        NDArray typed = sum.getDataType() == type ? sum : sum.toType(type, false);
        return reverse ? typed.flip(axis) : typed;
    }
}
