package dev.gptq.graph.pass;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Gives MatMuls with a constant kernel the form of a layer: W x becomes (x^T W^T)^T, and a kernel whose leading dimensions
 * are all 1 loses those that its input has, too. Where the input's rank is not known, a node stays as it is.
 */
final class MatMulNormalization {
    private static final int MATRIX = 2;

    private final Graph graph;
    private final Map<String, Integer> ranks;
    private final Map<String, TensorData> constants;
    private final Names tensors;
    private final Names names;
    private final List<Node> nodes = new ArrayList<>();

    private MatMulNormalization(Graph graph) {
        this.graph = graph;
        this.ranks = Ranks.of(graph);
        this.constants = new LinkedHashMap<>(graph.constants());
        this.tensors = Names.ofTensors(graph);
        this.names = Names.ofNodes(graph);
    }

    static Graph apply(Graph graph) {
        MatMulNormalization pass = new MatMulNormalization(graph);
        graph.nodes().forEach(pass::add);
        return graph.withConstants(pass.constants).withNodes(pass.nodes);
    }

    private void add(Node node) {
        if (!node.is("MatMul") || graph.isConstant(node.input(0)) == graph.isConstant(node.input(1))) {
            nodes.add(node);
            return;
        }
        boolean first = graph.isConstant(node.input(0));
        TensorData kernel = constants.get(node.input(first ? 0 : 1));
        Integer rank = ranks.get(node.input(first ? 1 : 0));
        if (kernel.type() != ElementType.FLOAT32 || kernel.rank() < MATRIX || rank == null || rank < MATRIX) {
            nodes.add(node);
            return;
        }
        if (first) {
            addTransposed(node, kernel, rank);
        } else {
            String matrix = constant(node.input(1), withoutOnes(kernel, rank), "matrix");
            nodes.add(node.withInputs(List.of(node.input(0), matrix)));
        }
    }

    /** The MatMul keeps its name, the last Transpose its output. */
    private void addTransposed(Node node, TensorData kernel, int rank) {
        String input = tensors.fresh(node.input(1) + ".transposed");
        String product = tensors.fresh(node.output() + ".transposed");
        String matrix = constant(node.input(0), withoutOnes(transposed(kernel), rank), "transposed");
        nodes.add(transpose(node.name() + ".input", node.input(1), input, rank));
        nodes.add(new Node(node.name(), "MatMul", List.of(input, matrix), List.of(product), Map.of()));
        nodes.add(transpose(node.name() + ".output", product, node.output(), Math.max(rank, kernel.rank())));
    }

    private Node transpose(String name, String input, String output, int rank) {
        long[] order = IntStream.range(0, rank).asLongStream().toArray();
        order[rank - 1] = rank - 2;
        order[rank - 2] = rank - 1;
        return new Node(names.fresh(name), "Transpose", List.of(input), List.of(output), Map.of("perm", order));
    }

    private String constant(String name, TensorData value, String suffix) {
        if (value == constants.get(name)) {
            return name;
        }
        String fresh = tensors.fresh(name + "." + suffix);
        constants.put(fresh, value);
        return fresh;
    }

    private static TensorData withoutOnes(TensorData kernel, int inputRank) {
        long[] shape = kernel.shape();
        boolean alone = Arrays.stream(shape).limit(shape.length - MATRIX).allMatch(dimension -> dimension == 1);
        return alone && shape.length > MATRIX && shape.length <= inputRank
                ? kernel.reshape(shape[shape.length - 2], shape[shape.length - 1])
                : kernel;
    }

    private static TensorData transposed(TensorData kernel) {
        long[] shape = kernel.shape().clone();
        int rows = (int) shape[shape.length - 2];
        int columns = (int) shape[shape.length - 1];
        shape[shape.length - 2] = columns;
        shape[shape.length - 1] = rows;
        float[] values = kernel.floats();
        float[] result = new float[values.length];
        for (int i = 0; i < result.length; i++) {
            int matrix = i / (rows * columns) * rows * columns;
            result[i] = values[matrix + i % rows * columns + i / rows % columns];
        }
        return TensorData.ofFloats(result, shape);
    }
}
