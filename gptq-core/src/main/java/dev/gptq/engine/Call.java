package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gptq.GptqException;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;

/**
 * One node with the values of its inputs.
 *
 * @param manager owns what the operator creates from nothing
 * @param node the node
 * @param inputs the engine's arrays, null where an optional input is absent
 * @param constants for inputs that are constants of the graph, their values on the heap; null for others
 */
record Call(NDManager manager, Node node, NDArray[] inputs, TensorData[] constants) {
    NDArray input(int index) {
        return inputs[index];
    }

    boolean has(int index) {
        return index < inputs.length && inputs[index] != null;
    }

    /** The first input. */
    NDArray x() {
        return inputs[0];
    }

    /** The input at {@code index}, or null when it is absent. */
    NDArray optional(int index) {
        return has(index) ? inputs[index] : null;
    }

    /** The first input's interface for the engine's own network functions. */
    NDArrayEx functions() {
        return inputs[0].getNDArrayInternal();
    }

    long[] shape(int index) {
        return inputs[index].getShape().getShape().clone();
    }

    /** The integers of input {@code index} on the heap: without a native call for constants. */
    long[] longs(int index) {
        if (constants[index] != null) {
            return constants[index].longs();
        }
        NDArray values = inputs[index];
        if (values.getDataType() == DataType.INT64) {
            return values.toLongArray();
        }
        return Engines.toTensor(values).longs();
    }

    long[] longsOr(int index, long[] absent) {
        return has(index) ? longs(index) : absent;
    }

    /** The single real number in input {@code index}. */
    float number(int index, float absent) {
        if (!has(index)) {
            return absent;
        }
        TensorData value = constants[index] != null ? constants[index] : Engines.toTensor(inputs[index]);
        return switch (value.type()) {
            case FLOAT32 -> value.floats()[0];
            case FLOAT64 -> (float) value.doubles()[0];
            default -> value.longs()[0];
        };
    }

    /** An axis attribute counted from the front. */
    int axis(String attribute, int defaultValue, int rank) {
        return normalizeAxis(node.integer(attribute, defaultValue), rank);
    }

    int normalizeAxis(long axis, int rank) {
        long normal = axis < 0 ? axis + rank : axis;
        if (normal < 0 || normal >= Math.max(rank, 1)) {
            throw failure("axis " + axis + " is outside a tensor of rank " + rank);
        }
        return (int) normal;
    }

    GptqException failure(String reason) {
        return GptqException.badInput(
                "Cannot run node '%s' (%s): %s. Check the model.", node.name(), node.opType(), reason);
    }

    /** Truth values as ones and zeros of the first input's type. */
    NDArray asNumbers(NDArray truth) {
        return truth.toType(x().getDataType(), false);
    }

    /** {@code array * factor}; see {@link Engines#scalar} for why not {@code array.mul(factor)}. */
    NDArray times(NDArray array, double factor) {
        return array.mul(Engines.scalar(manager, array, factor));
    }

    /** {@code array / count} for a mean; integers are divided as integers. */
    NDArray mean(NDArray sum, long count) {
        return sum.getDataType().isFloating() ? sum.div(Engines.scalar(manager, sum, count)) : sum.div(count);
    }

    /** A new handle to the same values. */
    static NDArray alias(NDArray array) {
        return array.reshape(array.getShape());
    }

    static NDArray reshape(NDArray array, long... shape) {
        return array.reshape(new Shape(shape));
    }
}
