package dev.gptq.graph.pass;

import dev.gptq.graph.BroadcastingOperators;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Dimensions of tensors that are the same for every input, and elements of integer vectors that follow from them, as exporters
 * compute shapes: the width of an embedding, say, read from a tensor whose batch may have any size. What is not known for
 * certain is unknown.
 */
final class KnownShapes {
    /** Of a dimension or an element. */
    private static final long UNKNOWN = Long.MIN_VALUE;

    private static final long INT64 = 7;

    /** Operators whose first output has the shape of their first input. */
    private static final Set<String> SAME = Set.of(
            "Relu",
            "LeakyRelu",
            "Elu",
            "Selu",
            "Sigmoid",
            "HardSigmoid",
            "HardSwish",
            "Tanh",
            "Erf",
            "Gelu",
            "Softplus",
            "Sqrt",
            "Exp",
            "Log",
            "Neg",
            "Abs",
            "Reciprocal",
            "Clip",
            "Cast",
            "Identity",
            "Dropout",
            "Softmax",
            "LogSoftmax",
            "BatchNormalization",
            "InstanceNormalization",
            "LayerNormalization");

    private final Graph graph;
    private final Map<String, long[]> shapes = new HashMap<>();
    private final Map<String, long[]> vectors = new HashMap<>();

    private KnownShapes(Graph graph) {
        this.graph = graph;
    }

    /** Integer tensors that nodes compute and that are the same for every input. */
    static Map<String, TensorData> constants(Graph graph) {
        KnownShapes known = new KnownShapes(graph);
        known.find();
        Map<String, TensorData> constants = new LinkedHashMap<>();
        for (Node node : graph.nodes()) {
            long[] vector = known.vectors.get(node.output());
            long[] shape = known.shapes.get(node.output());
            if (vector != null && shape != null && isKnown(vector) && !graph.isOutput(node.output())) {
                constants.put(node.output(), TensorData.ofLongs(ElementType.INT64, vector, shape));
            }
        }
        return constants;
    }

    private void find() {
        graph.inputs().forEach(input -> {
            long[] shape = Arrays.stream(input.shape())
                    .map(size -> size > 0 ? size : UNKNOWN)
                    .toArray();
            shapes.put(input.name(), shape);
        });
        graph.constants().forEach((name, tensor) -> {
            shapes.put(name, tensor.shape().clone());
            if (tensor.type() == ElementType.INT64 && tensor.rank() <= 1) {
                vectors.put(name, tensor.longs().clone());
            }
        });
        for (Node node : graph.nodes()) {
            if (node.outputs().size() == 1 || node.is("Dropout")) {
                put(vectors, node, vector(node));
                put(shapes, node, shape(node));
            }
        }
    }

    private static void put(Map<String, long[]> map, Node node, long[] value) {
        if (value != null) {
            map.put(node.output(), value);
        }
    }

    private long[] vector(Node node) {
        long[] first = vectors.get(node.input(0));
        return switch (node.opType()) {
            case "Shape" -> node.attributes().isEmpty() ? shapes.get(node.input(0)) : null;
            case "Identity", "Squeeze", "Unsqueeze" -> first;
            case "Cast" -> node.integer("to", 0) == INT64 ? first : null;
            case "Gather" -> gathered(first, vectors.get(node.input(1)));
            case "Concat" -> joined(node);
            default -> null;
        };
    }

    private static long[] gathered(long[] vector, long[] indices) {
        if (vector == null || indices == null) {
            return null;
        }
        return Arrays.stream(indices)
                .map(index -> index < -vector.length || index >= vector.length
                        ? UNKNOWN
                        : vector[(int) Math.floorMod(index, (long) vector.length)])
                .toArray();
    }

    private long[] joined(Node node) {
        return node.inputs().stream().allMatch(vectors::containsKey)
                ? node.inputs().stream()
                        .flatMapToLong(input -> Arrays.stream(vectors.get(input)))
                        .toArray()
                : null;
    }

    private long[] shape(Node node) {
        if (SAME.contains(node.opType())) {
            return shapes.get(node.input(0));
        }
        if (BroadcastingOperators.broadcasts(node)) {
            return broadcast(node);
        }
        if (node.opType().startsWith("Reduce")) {
            return reduced(node, shapes.get(node.input(0)));
        }
        long[] first = shapes.get(node.input(0));
        return switch (node.opType()) {
            case "Shape" -> first == null ? null : new long[] {first.length};
            case "Gather" -> gatheredShape(first, shapes.get(node.input(1)), node);
            case "Transpose" -> transposed(first, node.integers("perm", null));
            case "MatMul" -> product(first, shapes.get(node.input(1)));
            case "Reshape" -> reshaped(first, vectors.get(node.input(1)), node);
            case "Unsqueeze" -> unsqueezed(first, axes(node));
            case "Squeeze" -> squeezed(first, axes(node));
            case "Concat" -> concatenated(node);
            default -> null;
        };
    }

    private long[] broadcast(Node node) {
        long[] result = {};
        for (String input : node.inputs()) {
            long[] shape = shapes.get(input);
            if (shape == null) {
                return null;
            }
            result = broadcast(result, shape);
        }
        return result;
    }

    private static long[] broadcast(long[] a, long[] b) {
        long[] result = new long[Math.max(a.length, b.length)];
        for (int i = 0; i < result.length; i++) {
            long x = i < result.length - a.length ? 1 : a[i - (result.length - a.length)];
            long y = i < result.length - b.length ? 1 : b[i - (result.length - b.length)];
            // A known size above one decides; an unknown one may be one.
            result[i] = x == 1 ? y : y == 1 || x != UNKNOWN ? x : y;
        }
        return result;
    }

    /** Of a reduction, as attribute or, in newer operator sets, as input; null when they are not known. */
    private long[] axes(Node node) {
        long[] attribute = node.integers("axes", null);
        return attribute != null ? attribute : node.hasInput(1) ? vectors.get(node.input(1)) : null;
    }

    private long[] reduced(Node node, long[] shape) {
        long[] axes = axes(node);
        if (shape == null || axes == null || !isKnown(axes)) {
            return null;
        }
        long[] result = shape.clone();
        for (long axis : axes) {
            result[at(axis, shape.length)] = 1;
        }
        return node.integer("keepdims", 1) != 0 ? result : squeezed(result, axes);
    }

    private static long[] gatheredShape(long[] data, long[] indices, Node node) {
        if (data == null || indices == null) {
            return null;
        }
        int axis = at(node.integer("axis", 0), data.length);
        return IntStream.range(0, data.length + indices.length - 1)
                .mapToLong(i -> i < axis
                        ? data[i]
                        : i < axis + indices.length ? indices[i - axis] : data[i - indices.length + 1])
                .toArray();
    }

    private static long[] transposed(long[] shape, long[] perm) {
        if (shape == null) {
            return null;
        }
        return IntStream.range(0, shape.length)
                .mapToLong(i -> shape[perm == null ? shape.length - 1 - i : (int) perm[i]])
                .toArray();
    }

    private static long[] product(long[] a, long[] b) {
        if (a == null || b == null || a.length < 2 || b.length < 2) {
            return null;
        }
        long[] batch = broadcast(Arrays.copyOf(a, a.length - 2), Arrays.copyOf(b, b.length - 2));
        long[] result = Arrays.copyOf(batch, batch.length + 2);
        result[batch.length] = a[a.length - 2];
        result[batch.length + 1] = b[b.length - 1];
        return result;
    }

    /** Without what -1 stands for, unless nothing else is unknown. */
    private static long[] reshaped(long[] shape, long[] target, Node node) {
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

    private static long[] unsqueezed(long[] shape, long[] axes) {
        if (shape == null || axes == null || !isKnown(axes)) {
            return null;
        }
        int rank = shape.length + axes.length;
        boolean[] added = new boolean[rank];
        for (long axis : axes) {
            added[at(axis, rank)] = true;
        }
        long[] result = new long[rank];
        int from = 0;
        for (int i = 0; i < rank; i++) {
            result[i] = added[i] ? 1 : shape[from++];
        }
        return result;
    }

    private static long[] squeezed(long[] shape, long[] axes) {
        if (shape == null || axes == null || !isKnown(axes)) {
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

    private long[] concatenated(Node node) {
        long[] result = null;
        for (String input : node.inputs()) {
            long[] shape = shapes.get(input);
            if (shape == null) {
                return null;
            }
            int axis = at(node.integer("axis", 0), shape.length);
            if (result == null) {
                result = shape.clone();
                continue;
            }
            for (int i = 0; i < shape.length; i++) {
                boolean unknown = shape[i] == UNKNOWN || result[i] == UNKNOWN;
                result[i] = i == axis ? unknown ? UNKNOWN : result[i] + shape[i] : unknown ? shape[i] : result[i];
            }
        }
        return result;
    }

    private static int at(long axis, int rank) {
        return (int) (axis < 0 ? axis + rank : axis);
    }

    private static boolean isKnown(long[] numbers) {
        return Arrays.stream(numbers).noneMatch(number -> number == UNKNOWN);
    }
}
