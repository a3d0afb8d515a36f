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
import java.util.stream.LongStream;

/**
 * Dimensions of tensors that are the same for every input, and elements of integer vectors that follow from them, as exporters
 * compute shapes: the width of an embedding, say, read from a tensor whose batch may have any size. What is not known for
 * certain is unknown.
 */
final class KnownShapes {
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
            if (vector != null && shape != null && ShapeRules.isKnown(vector) && !graph.isOutput(node.output())) {
                constants.put(node.output(), TensorData.ofLongs(ElementType.INT64, vector, shape));
            }
        }
        return constants;
    }

    private void find() {
        graph.inputs().forEach(input -> {
            long[] shape = Arrays.stream(input.shape())
                    .map(size -> size > 0 ? size : ShapeRules.UNKNOWN)
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
            case "Gather" -> ShapeRules.gathered(first, vectors.get(node.input(1)));
            case "Concat" -> joined(node);
            case "Slice" -> slicedVector(node, first);
            // Of known numbers they are folded.
            case "Add", "Sub", "Mul", "Div" -> ShapeRules.unknown(first, vectors.get(node.input(1)));
            default -> null;
        };
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
            case "Gather" -> ShapeRules.gatheredShape(first, shapes.get(node.input(1)), node);
            case "Transpose" -> ShapeRules.transposed(first, node.integers("perm", null));
            case "Gemm" -> ShapeRules.gemm(first, shapes.get(node.input(1)), node);
            case "Slice" -> sliced(node, first);
            case "MatMul" -> ShapeRules.product(first, shapes.get(node.input(1)));
            case "Reshape" -> ShapeRules.reshaped(first, vectors.get(node.input(1)), node);
            case "Unsqueeze" -> ShapeRules.unsqueezed(first, axes(node));
            case "Squeeze" -> ShapeRules.squeezed(first, axes(node));
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
            result = ShapeRules.broadcast(result, shape);
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
        if (shape == null || axes == null || !ShapeRules.areAxes(shape.length, axes)) {
            return null;
        }
        long[] result = shape.clone();
        for (long axis : axes) {
            result[ShapeRules.at(axis, shape.length)] = 1;
        }
        return node.integer("keepdims", 1) != 0 ? result : ShapeRules.squeezed(result, axes);
    }

    private long[] sliced(Node node, long[] shape) {
        Slice slice = slice(node, shape == null ? 0 : shape.length);
        if (shape == null || slice == null) {
            return null;
        }
        long[] result = shape.clone();
        for (int i = 0; i < slice.axes().length; i++) {
            long size = shape[slice.axes()[i]];
            result[slice.axes()[i]] = size == ShapeRules.UNKNOWN
                    ? ShapeRules.UNKNOWN
                    : Math.max(
                            0, ShapeRules.within(slice.ends()[i], size) - ShapeRules.within(slice.starts()[i], size));
        }
        return result;
    }

    private long[] slicedVector(Node node, long[] vector) {
        Slice slice = slice(node, 1);
        if (vector == null || slice == null || slice.axes().length != 1) {
            return null;
        }
        long from = ShapeRules.within(slice.starts()[0], vector.length);
        return Arrays.copyOfRange(
                vector, (int) from, (int) Math.max(from, ShapeRules.within(slice.ends()[0], vector.length)));
    }

    /** Without steps. */
    private record Slice(long[] starts, long[] ends, int[] axes) {}

    private Slice slice(Node node, int rank) {
        long[] starts = vectors.get(node.input(1));
        long[] ends = vectors.get(node.input(2));
        long[] axes = node.hasInput(3)
                ? vectors.get(node.input(3))
                : starts == null ? null : LongStream.range(0, starts.length).toArray();
        long[] steps = node.hasInput(4) ? vectors.get(node.input(4)) : new long[] {1};
        for (long[] known : Arrays.asList(starts, ends, axes, steps)) {
            if (known == null || !ShapeRules.isKnown(known)) {
                return null;
            }
        }
        boolean simple = Arrays.stream(steps).allMatch(step -> step == 1)
                && ends.length == starts.length
                && axes.length == starts.length
                && ShapeRules.areAxes(rank, axes);
        return simple
                ? new Slice(
                        starts,
                        ends,
                        Arrays.stream(axes)
                                .mapToInt(axis -> ShapeRules.at(axis, rank))
                                .toArray())
                : null;
    }

    private long[] concatenated(Node node) {
        long[] result = null;
        for (String input : node.inputs()) {
            long[] shape = shapes.get(input);
            if (shape == null) {
                return null;
            }
            long given = node.integer("axis", 0);
            if (!ShapeRules.areAxes(shape.length, given) || result != null && result.length != shape.length) {
                return null;
            }
            int axis = ShapeRules.at(given, shape.length);
            if (result == null) {
                result = shape.clone();
                continue;
            }
            for (int i = 0; i < shape.length; i++) {
                boolean unknown = shape[i] == ShapeRules.UNKNOWN || result[i] == ShapeRules.UNKNOWN;
                if (i == axis) {
                    result[i] = unknown ? ShapeRules.UNKNOWN : result[i] + shape[i];
                } else if (result[i] == ShapeRules.UNKNOWN) {
                    result[i] = shape[i];
                }
            }
        }
        return result;
    }
}
