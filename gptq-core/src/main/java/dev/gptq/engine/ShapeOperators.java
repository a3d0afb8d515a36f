package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Operators that change a tensor's shape or join tensors. */
final class ShapeOperators {
    private ShapeOperators() {}

    static void addTo(Map<String, Operator> table) {
        table.put("Flatten", ShapeOperators::flatten);
        table.put("Reshape", ShapeOperators::reshape);
        table.put("Transpose", ShapeOperators::transpose);
        table.put("Concat", ShapeOperators::concat);
        table.put("Squeeze", ShapeOperators::squeeze);
        table.put("Unsqueeze", ShapeOperators::unsqueeze);
        table.put("Shape", ShapeOperators::shapeOf);
        table.put("Pad", ShapeOperators::pad);
    }

    private static NDArray flatten(Call call) {
        long[] shape = call.shape(0);
        long axis = call.node().integer("axis", 1);
        long rows = 1;
        for (int i = 0; i < (axis < 0 ? axis + shape.length : axis); i++) {
            rows *= shape[i];
        }
        return Call.reshape(call.x(), rows, rows == 0 ? 0 : call.x().size() / rows);
    }

    private static NDArray reshape(Call call) {
        long[] target = call.longs(1).clone();
        if (call.node().integer("allowzero", 0) == 0) {
            long[] shape = call.shape(0);
            for (int i = 0; i < target.length; i++) {
                if (target[i] == 0) {
                    if (i >= shape.length) {
                        throw call.failure("shape " + Arrays.toString(target)
                                + " copies a dimension the input of shape " + Arrays.toString(shape) + " lacks");
                    }
                    target[i] = shape[i];
                }
            }
        }
        requireSameSize(call, target);
        return Call.reshape(call.x(), target);
    }

    private static void requireSameSize(Call call, long[] target) {
        long known = 1;
        int unknown = 0;
        for (long dimension : target) {
            if (dimension == -1) {
                unknown++;
            } else {
                known *= dimension;
            }
        }
        long size = call.x().size();
        boolean fits = unknown == 0 ? known == size : unknown == 1 && known > 0 && size % known == 0;
        if (!fits) {
            throw call.failure("an input of shape " + Arrays.toString(call.shape(0)) + " cannot take the shape "
                    + Arrays.toString(target));
        }
    }

    private static NDArray transpose(Call call) {
        int rank = call.shape(0).length;
        long[] permutation = call.node().integers("perm", null);
        int[] axes = new int[rank];
        Arrays.setAll(axes, i -> permutation == null ? rank - 1 - i : (int) permutation[i]);
        return call.x().transpose(axes);
    }

    private static NDArray concat(Call call) {
        if (call.inputs().length == 1) {
            return Call.alias(call.x());
        }
        return NDArrays.concat(new NDList(call.inputs()), call.axis("axis", 0, call.shape(0).length));
    }

    private static NDArray squeeze(Call call) {
        long[] shape = call.shape(0);
        boolean[] dropped = new boolean[shape.length];
        if (call.has(1)) {
            for (long axis : call.longs(1)) {
                dropped[call.normalizeAxis(axis, shape.length)] = true;
            }
        } else {
            for (int i = 0; i < shape.length; i++) {
                dropped[i] = shape[i] == 1;
            }
        }
        List<Long> kept = new ArrayList<>();
        for (int i = 0; i < shape.length; i++) {
            if (!dropped[i]) {
                kept.add(shape[i]);
            } else if (shape[i] != 1) {
                throw call.failure("dimension " + i + " of shape " + Arrays.toString(shape) + " is not 1");
            }
        }
        return call.x().reshape(new Shape(kept));
    }

    private static NDArray unsqueeze(Call call) {
        long[] shape = call.shape(0);
        long[] axes = call.longs(1);
        int rank = shape.length + axes.length;
        long[] target = new long[rank];
        for (long axis : axes) {
            target[call.normalizeAxis(axis, rank)] = 1;
        }
        int next = 0;
        for (int i = 0; i < rank; i++) {
            if (target[i] == 0) {
                target[i] = shape[next++];
            }
        }
        return Call.reshape(call.x(), target);
    }

    private static NDArray shapeOf(Call call) {
        long[] shape = call.shape(0);
        int start = bound(call.node().integer("start", 0), shape.length);
        int end = bound(call.node().integer("end", shape.length), shape.length);
        return call.manager().create(Arrays.copyOfRange(shape, start, Math.max(start, end)));
    }

    private static int bound(long position, int rank) {
        long fromFront = position < 0 ? position + rank : position;
        return (int) Math.max(0, Math.min(rank, fromFront));
    }

    private static NDArray pad(Call call) {
        int rank = call.shape(0).length;
        long[] pads = call.longs(1);
        long[] axes = call.has(3) ? call.longs(3) : null;
        int count = pads.length / 2;
        long[] begins = new long[rank];
        long[] ends = new long[rank];
        for (int i = 0; i < count; i++) {
            int axis = axes == null ? i : call.normalizeAxis(axes[i], rank);
            begins[axis] = pads[i];
            ends[axis] = pads[count + i];
        }
        String mode = call.node().text("mode", "constant");
        if (mode.equals("constant")) {
            return Window.pad(call.x(), begins, ends, call.number(2, 0));
        }
        NDArray result = call.x();
        for (int i = 0; i < rank; i++) {
            if (begins[i] != 0 || ends[i] != 0) {
                result = IndexOperators.pick(call, result, i, padding(call, mode, i, begins[i], ends[i]));
            }
        }
        return result == call.x() ? Call.alias(result) : result;
    }

    /** For each position of a padded axis, the element of the input that it repeats. */
    private static long[] padding(Call call, String mode, int axis, long begin, long end) {
        long size = call.shape(0)[axis];
        long[] positions = new long[(int) (begin + size + end)];
        for (int i = 0; i < positions.length; i++) {
            long at = i - begin;
            positions[i] = switch (mode) {
                case "edge" -> Math.max(0, Math.min(size - 1, at));
                case "wrap" -> Math.floorMod(at, size);
                case "reflect" -> size == 1 ? 0 : reflect(at, size);
                default -> throw call.failure("mode '" + mode + "' is unknown");
            };
        }
        return positions;
    }

    private static long reflect(long at, long size) {
        long inPeriod = Math.floorMod(at, 2 * (size - 1));
        return Math.min(inPeriod, 2 * (size - 1) - inPeriod);
    }
}
