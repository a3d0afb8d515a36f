package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import dev.gptq.GptqException;
import dev.gptq.graph.BroadcastingOperators;
import dev.gptq.graph.Node;
import java.util.Arrays;
import java.util.Set;

/**
 * How many elements a node's output has, for operators that make much of little: a few bytes of a model may ask for more
 * memory than there is, and the engine would try.
 */
final class OutputSize {
    /** What fits in an array of the heap. */
    static final long MAX_ELEMENTS = Integer.MAX_VALUE;

    /** Of what is computed from constants only: it becomes part of the model. */
    static final long MAX_CONSTANT_ELEMENTS = 1L << 27;

    private static final Set<String> BY_VALUES =
            Set.of("ConstantOfShape", "Expand", "Tile", "Range", "OneHot", "Pad", "Resize", "Upsample");

    private OutputSize() {}

    /** Whether the size follows from values of inputs. */
    static boolean followsFromValues(Node node) {
        return BY_VALUES.contains(node.opType());
    }

    /** Fails with UNSUPPORTED_MODEL when the node's output would have more than {@code limit} elements. */
    static void require(Node node, NDArray[] inputs, long limit) {
        double elements = elements(node, inputs);
        if (elements > limit) {
            throw GptqException.unsupported(
                    "Cannot run node '%s' (%s): its output would have %.4g elements, more than %d. Check the model and the"
                            + " shapes of its inputs.",
                    node.name(), node.opType(), elements, limit);
        }
    }

    /** Doubles cannot overflow; 0 where the operator makes no more than it gets. */
    private static double elements(Node node, NDArray[] inputs) {
        return switch (node.opType()) {
            case "ConstantOfShape" -> product(values(inputs[0]));
            case "Expand" -> broadcast(values(inputs[1]), shape(inputs[0]));
            case "Tile" -> inputs[0].size() * product(values(inputs[1]));
            case "Range" -> (values(inputs[1])[0] - values(inputs[0])[0]) / values(inputs[2])[0];
            case "OneHot" -> inputs[0].size() * values(inputs[1])[0];
            case "Pad" -> padded(inputs);
            case "Resize", "Upsample" -> resized(inputs);
            case "Gather" -> gathered(node, inputs);
            case "MatMul" -> multiplied(inputs);
            default -> BroadcastingOperators.broadcasts(node) ? broadcast(inputs) : 0;
        };
    }

    private static double padded(NDArray[] inputs) {
        if (inputs.length < 2 || inputs[1] == null) {
            return 0;
        }
        double[] shape = shape(inputs[0]);
        double[] pads = values(inputs[1]);
        for (int i = 0; i < pads.length / 2; i++) {
            int axis = inputs.length > 3 && inputs[3] != null ? (int) values(inputs[3])[i] : i;
            shape[axis < 0 ? axis + shape.length : axis] += pads[i] + pads[i + pads.length / 2];
        }
        return product(shape);
    }

    /** The last input that is there and not empty holds sizes (the fourth one) or scales. */
    private static double resized(NDArray[] inputs) {
        int last = inputs.length - 1;
        while (last > 0 && (inputs[last] == null || inputs[last].isEmpty())) {
            last--;
        }
        if (last == 0) {
            return 0;
        }
        double product = product(values(inputs[last]));
        return last == 3 ? product : inputs[0].size() * product;
    }

    private static double gathered(Node node, NDArray[] inputs) {
        double[] shape = shape(inputs[0]);
        int axis = (int) node.integer("axis", 0);
        double removed = shape.length == 0 ? 1 : Math.max(1, shape[axis < 0 ? axis + shape.length : axis]);
        return inputs[0].size() / removed * inputs[1].size();
    }

    private static double multiplied(NDArray[] inputs) {
        double[] left = shape(inputs[0]);
        double[] right = shape(inputs[1]);
        if (left.length < 2 || right.length < 2) {
            return 0;
        }
        double rows = left[left.length - 2];
        double columns = right[right.length - 1];
        double[] leftBatch = Arrays.copyOf(left, left.length - 2);
        return rows * columns * broadcast(leftBatch, Arrays.copyOf(right, right.length - 2));
    }

    private static double broadcast(NDArray... inputs) {
        double[] shape = {};
        for (NDArray input : inputs) {
            shape = broadcastShape(shape, shape(input));
        }
        return product(shape);
    }

    private static double broadcast(double[] a, double[] b) {
        return product(broadcastShape(a, b));
    }

    private static double[] broadcastShape(double[] a, double[] b) {
        double[] shape = new double[Math.max(a.length, b.length)];
        for (int i = 1; i <= shape.length; i++) {
            double one = i <= a.length ? a[a.length - i] : 1;
            double other = i <= b.length ? b[b.length - i] : 1;
            shape[shape.length - i] = Math.max(one, other);
        }
        return shape;
    }

    private static double[] shape(NDArray array) {
        return Arrays.stream(array.getShape().getShape()).asDoubleStream().toArray();
    }

    private static double product(double[] values) {
        double product = 1;
        for (double value : values) {
            product *= Math.max(0, value);
        }
        return product;
    }

    private static double[] values(NDArray array) {
        return Engines.toDoubles(array);
    }
}
