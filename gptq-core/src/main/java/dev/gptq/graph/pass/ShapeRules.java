package dev.gptq.graph.pass;

import dev.gptq.graph.Node;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Shapes of outputs from those of inputs, in which single dimensions may be unknown; null where the rank is, and where a node
 * does not fit its inputs.
 */
final class ShapeRules {
    /** Of a dimension, or an element of a vector. */
    static final long UNKNOWN = Long.MIN_VALUE;

    private ShapeRules() {}

    static long[] broadcast(long[] a, long[] b) {
        long[] result = new long[Math.max(a.length, b.length)];
        for (int i = 0; i < result.length; i++) {
            long x = i < result.length - a.length ? 1 : a[i - (result.length - a.length)];
            long y = i < result.length - b.length ? 1 : b[i - (result.length - b.length)];
            // A known size above one decides; an unknown one may be one.
            result[i] = x == 1 ? y : y == 1 || x != UNKNOWN ? x : y;
        }
        return result;
    }

    static long[] gatheredShape(long[] data, long[] indices, Node node) {
        if (data == null || indices == null) {
            return null;
        }
        long given = node.integer("axis", 0);
        if (!areAxes(data.length, given)) {
            return null;
        }
        int axis = at(given, data.length);
        return IntStream.range(0, data.length + indices.length - 1)
                .mapToLong(i -> i < axis
                        ? data[i]
                        : i < axis + indices.length ? indices[i - axis] : data[i - indices.length + 1])
                .toArray();
    }

    static long[] transposed(long[] shape, long[] perm) {
        if (shape == null || perm != null && (perm.length != shape.length || !areAxes(shape.length, perm))) {
            return null;
        }
        return IntStream.range(0, shape.length)
                .mapToLong(i -> shape[perm == null ? shape.length - 1 - i : at(perm[i], shape.length)])
                .toArray();
    }

    static long[] product(long[] a, long[] b) {
        if (a == null || b == null || a.length < 2 || b.length < 2) {
            return null;
        }
        long[] batch = broadcast(Arrays.copyOf(a, a.length - 2), Arrays.copyOf(b, b.length - 2));
        long[] result = Arrays.copyOf(batch, batch.length + 2);
        result[batch.length] = a[a.length - 2];
        result[batch.length + 1] = b[b.length - 1];
        return result;
    }

    static long[] gemm(long[] a, long[] b, Node node) {
        if (a == null || b == null || a.length != 2 || b.length != 2) {
            return null;
        }
        return new long[] {a[node.integer("transA", 0) == 0 ? 0 : 1], b[node.integer("transB", 0) == 0 ? 1 : 0]};
    }

    /** Without what -1 stands for. */
    static long[] reshaped(long[] shape, long[] target, Node node) {
        if (target == null || node.integer("allowzero", 0) != 0) {
            return null;
        }
        long[] result = target.clone();
        for (int i = 0; i < result.length; i++) {
            if (result[i] == 0) {
                result[i] = shape == null || i >= shape.length ? UNKNOWN : shape[i];
            } else if (result[i] < 0) {
                result[i] = UNKNOWN;
            }
        }
        return result;
    }

    static long[] unsqueezed(long[] shape, long[] axes) {
        if (shape == null || axes == null || !areAxes(shape.length + axes.length, axes)) {
            return null;
        }
        int rank = shape.length + axes.length;
        boolean[] added = new boolean[rank];
        for (long axis : axes) {
            if (added[at(axis, rank)]) {
                return null;
            }
            added[at(axis, rank)] = true;
        }
        long[] result = new long[rank];
        int from = 0;
        for (int i = 0; i < rank; i++) {
            result[i] = added[i] ? 1 : shape[from++];
        }
        return result;
    }

    static long[] squeezed(long[] shape, long[] axes) {
        if (shape == null || axes == null || !areAxes(shape.length, axes)) {
            return null;
        }
        boolean[] gone = new boolean[shape.length];
        for (long axis : axes) {
            gone[at(axis, shape.length)] = true;
        }
        return IntStream.range(0, shape.length)
                .filter(i -> !gone[i])
                .mapToLong(i -> shape[i])
                .toArray();
    }

    /** Whether all of these are dimensions of so many; what is unknown is none. */
    static boolean areAxes(int rank, long... axes) {
        return Arrays.stream(axes).allMatch(axis -> axis >= -rank && axis < rank);
    }

    static int at(long axis, int rank) {
        return (int) (axis < 0 ? axis + rank : axis);
    }

    static boolean isKnown(long[] numbers) {
        return Arrays.stream(numbers).noneMatch(number -> number == UNKNOWN);
    }

    static long within(long index, long size) {
        return Math.max(0, Math.min(size, index < 0 ? index + size : index));
    }

    static long[] gathered(long[] vector, long[] indices) {
        if (vector == null || indices == null) {
            return null;
        }
        return Arrays.stream(indices)
                .map(index -> index < -vector.length || index >= vector.length
                        ? UNKNOWN
                        : vector[(int) Math.floorMod(index, (long) vector.length)])
                .toArray();
    }

    static long[] unknown(long[] a, long[] b) {
        if (a == null || b == null) {
            return null;
        }
        long[] result = new long[Math.max(a.length, b.length)];
        Arrays.fill(result, UNKNOWN);
        return result;
    }
}
