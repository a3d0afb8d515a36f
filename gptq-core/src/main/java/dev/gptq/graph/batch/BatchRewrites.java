package dev.gptq.graph.batch;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.Names;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Takes the batch size out of constants of single nodes:
 *
 * <ul>
 *   <li>Reshape: as in the input (0), or as many as are left (-1);
 *   <li>Expand, and Slice of everything: as many as there are;
 *   <li>operands that hold the same for each sample (positions, masks): one row of them, see {@link RepeatedRows};
 *   <li>Resize to sizes, and Concat with a constant (a class token): by the Shape of the samples;
 *   <li>LSTM, GRU and RNN: without the initial states of zero, which they have anyway.
 * </ul>
 */
final class BatchRewrites {
    private static final int SIZES = 3;
    private static final int INITIAL_STATE = 5;

    private final long batch;
    private final Map<String, Tried> tried;
    private final Map<String, TensorData> constants;
    private final Names tensors;
    private final Names nodeNames;
    private final boolean openSizes;
    private Graph graph;
    private long outer = 1;

    /** @param tried what is known of the tensors before the node that is asked for */
    BatchRewrites(Graph graph, long batch, Map<String, Tried> tried) {
        this.graph = graph;
        this.batch = batch;
        this.tried = tried;
        this.constants = new LinkedHashMap<>(graph.constants());
        this.tensors = Names.ofTensors(graph);
        this.nodeNames = Names.ofNodes(graph);
        this.openSizes = graph.inputs().stream()
                .anyMatch(input -> Arrays.stream(input.shape()).skip(1).anyMatch(dimension -> dimension < 0));
    }

    /** The graph with all constants up to now. */
    Graph graph() {
        return graph;
    }

    /** {@link Tried#outer} of the output of the Reshape that was asked for last. */
    long outer() {
        return outer;
    }

    /** What takes the place of a node: itself, or nodes of which the last one writes its outputs. */
    List<Node> of(Node node, TensorData output) {
        Tried data = tried.get(node.input(0));
        boolean samples = data != null && data.grows();
        outer = 1;
        List<Node> rewritten =
                switch (node.opType()) {
                    case "Reshape" -> samples ? List.of(reshape(node, data, output)) : List.of(node);
                    case "Expand" -> samples ? List.of(expand(node, data, output)) : List.of(node);
                    case "Slice" -> samples ? List.of(slice(node, data, output)) : List.of(node);
                    case "Resize" -> samples ? resize(node, data) : List.of(node);
                    case "Concat" -> concat(node);
                    case "LSTM", "GRU", "RNN" -> List.of(withoutZeroStates(node));
                    default -> List.of(broadcast(node));
                };
        graph = graph.withConstants(constants);
        return rewritten;
    }

    private Node reshape(Node node, Tried data, TensorData output) {
        long[] before = data.part().shape();
        long[] after = output.shape();
        int axis = BatchAxis.afterReshape(data, after, batch);
        TensorData target = fixed(node.input(1));
        if (axis < 0) {
            return node;
        }
        outer = data.blocks() / TensorData.elementCount(Arrays.copyOf(after, axis));
        if (target == null || target.longs()[axis] <= 0) {
            return node;
        }
        long[] dimensions = target.longs().clone();
        if (axis == data.axis() && before[axis] == after[axis] && node.integer("allowzero", 0) == 0) {
            dimensions[axis] = 0;
        } else {
            for (int i = 0; i < dimensions.length; i++) {
                if (dimensions[i] == -1 && openSizes) {
                    return node;
                }
                dimensions[i] = dimensions[i] == -1 ? after[i] : dimensions[i];
            }
            dimensions[axis] = -1;
        }
        return with(node, 1, longs(node.input(1), dimensions));
    }

    /** A tensor that is always the same: a constant, or where all sizes but the batch are fixed, what it does not change. */
    private TensorData fixed(String tensor) {
        TensorData constant = constants.get(tensor);
        Tried computed = tried.get(tensor);
        boolean same = computed != null && !computed.grows() && !openSizes && computed.agrees();
        return constant == null && same ? computed.part() : constant;
    }

    private Node expand(Node node, Tried data, TensorData output) {
        TensorData target = fixed(node.input(1));
        int axis = data.axis() + output.rank() - data.part().rank();
        int inTarget = target == null ? -1 : axis - output.rank() + target.size();
        if (inTarget < 0) {
            return node;
        }
        long[] dimensions = target.longs().clone();
        dimensions[inTarget] = 1;
        return with(node, 1, longs(node.input(1), dimensions));
    }

    private Node slice(Node node, Tried data, TensorData output) {
        TensorData ends = constants.get(node.input(2));
        TensorData starts = constants.get(node.input(1));
        TensorData axes = constants.get(node.input(SIZES));
        boolean everything = output.shape()[data.axis()] == data.part().shape()[data.axis()];
        if (ends == null || starts == null || axes == null && node.hasInput(SIZES) || !everything) {
            return node;
        }
        long[] limits = ends.longs().clone();
        for (int i = 0; i < limits.length; i++) {
            long axis = axes == null ? i : Math.floorMod(axes.longs()[i], (long) output.rank());
            if (axis == data.axis() && starts.longs()[i] == 0 && limits[i] > 0) {
                limits[i] = ends.type() == ElementType.INT32 ? Integer.MAX_VALUE : Long.MAX_VALUE;
            }
        }
        String name = tensors.fresh(node.input(2) + "_any_batch");
        constants.put(name, TensorData.ofLongs(ends.type(), limits, limits.length));
        return with(node, 2, name);
    }

    private List<Node> resize(Node node, Tried data) {
        TensorData sizes = constants.get(node.input(SIZES));
        if (sizes == null || node.integers("axes", null) != null) {
            return List.of(node);
        }
        List<Node> nodes = new ArrayList<>();
        String computed = shape(nodes, node, node.input(0), data.axis(), sizes.longs());
        nodes.add(with(node, SIZES, computed));
        return nodes;
    }

    private List<Node> concat(Node node) {
        String samples = node.inputs().stream()
                .filter(input -> tried.containsKey(input) && tried.get(input).grows())
                .findFirst()
                .orElse(null);
        if (samples == null) {
            return List.of(node);
        }
        int axis = tried.get(samples).axis();
        int rank = tried.get(samples).part().rank();
        if (Math.floorMod(node.integer("axis", 0), rank) == axis) {
            return List.of(node);
        }
        List<Node> nodes = new ArrayList<>();
        Node rewritten = node;
        for (int i = 0; i < node.inputs().size(); i++) {
            String input = oneOfEqualRows(
                    node.input(i), axis, tried.get(samples).part().shape()[axis]);
            if (isSingle(input, axis)) {
                long[] ones = new long[rank];
                Arrays.fill(ones, 1);
                String target = shape(nodes, node, samples, axis, ones);
                String expanded = tensors.fresh(input + "_any_batch");
                nodes.add(new Node(
                        nodeNames.fresh(expanded), "Expand", List.of(input, target), List.of(expanded), Map.of()));
                rewritten = with(rewritten, i, expanded);
            }
        }
        nodes.add(rewritten);
        return nodes;
    }

    /** Whether a tensor is the same for all samples and has one entry for them. */
    private boolean isSingle(String tensor, int axis) {
        TensorData constant = constants.get(tensor);
        Tried computed = tried.get(tensor);
        long[] shape = constant != null
                ? constant.shape()
                : computed != null && !computed.grows() ? computed.part().shape() : new long[0];
        return axis < shape.length && shape[axis] == 1;
    }

    /** A constant that repeats its row for each sample of the batch as a new one with a single row; else the tensor. */
    private String oneOfEqualRows(String tensor, int axis, long count) {
        TensorData constant = constants.get(tensor);
        TensorData row = constant == null || axis < 0 ? null : RepeatedRows.single(constant, axis, count);
        if (row == null) {
            return tensor;
        }
        String name = tensors.fresh(tensor + "_row");
        constants.put(name, row);
        return name;
    }

    /** Operands beside samples that hold the same for each of them. */
    private Node broadcast(Node node) {
        Tried samples = node.inputs().stream()
                .map(tried::get)
                .filter(input -> input != null && input.grows())
                .max(Comparator.comparingInt(input -> input.part().rank()))
                .orElse(null);
        if (samples == null) {
            return node;
        }
        long count = samples.part().shape()[samples.axis()];
        return node.withInputs(node.inputs().stream()
                .map(input -> {
                    TensorData constant = constants.get(input);
                    int axis = constant == null ? -1 : RepeatedRows.axis(node, constant, samples);
                    return oneOfEqualRows(input, axis, count);
                })
                .toList());
    }

    /** Adds nodes that compute {@code dimensions} with the number of entries of {@code samples} at {@code axis}. */
    private String shape(List<Node> nodes, Node node, String samples, int axis, long[] dimensions) {
        String stem = node.name() + "_batch";
        String shape = add(nodes, "Shape", List.of(samples), stem + "_shape", Map.of());
        String count = add(nodes, "Gather", List.of(shape, longs(stem + "_axis", new long[] {axis})), stem, Map.of());
        List<String> pieces = new ArrayList<>();
        if (axis > 0) {
            pieces.add(longs(stem + "_before", Arrays.copyOf(dimensions, axis)));
        }
        pieces.add(count);
        if (axis + 1 < dimensions.length) {
            pieces.add(longs(stem + "_behind", Arrays.copyOfRange(dimensions, axis + 1, dimensions.length)));
        }
        return add(nodes, "Concat", pieces, stem + "_sizes", Map.of("axis", 0L));
    }

    private String add(
            List<Node> nodes, String operator, List<String> inputs, String stem, Map<String, Long> attributes) {
        String output = tensors.fresh(stem);
        nodes.add(new Node(nodeNames.fresh(output), operator, inputs, List.of(output), Map.copyOf(attributes)));
        return output;
    }

    private Node withoutZeroStates(Node node) {
        List<String> inputs = new ArrayList<>(node.inputs());
        for (int i = INITIAL_STATE; i < Math.min(inputs.size(), INITIAL_STATE + 2); i++) {
            TensorData state = constants.get(inputs.get(i));
            if (state != null && state.type() == ElementType.FLOAT32 && isZero(state.floats())) {
                inputs.set(i, "");
            }
        }
        return node.withInputs(inputs);
    }

    private static boolean isZero(float[] values) {
        for (float value : values) {
            if (value != 0) {
                return false;
            }
        }
        return true;
    }

    private String longs(String stem, long[] values) {
        String name = tensors.fresh(stem + "_any_batch");
        constants.put(name, TensorData.ofLongs(ElementType.INT64, values, values.length));
        return name;
    }

    private static Node with(Node node, int index, String input) {
        List<String> inputs = new ArrayList<>(node.inputs());
        inputs.set(index, input);
        return node.withInputs(inputs);
    }
}
