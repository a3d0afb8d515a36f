package dev.gptq.calibrate;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.Names;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A graph whose linear layers read x / s and multiply it with s W in place of x and W. Factors are powers of two, so that not
 * one bit of an output changes.
 */
final class SmoothedGraph {
    private static final String SUFFIX = "/smoothing";
    private static final String FACTORS = SUFFIX + "_factors";

    private final Graph prepared;
    private final Map<String, float[]> factors;
    private final Set<String> layers;
    private final Map<String, TensorData> constants;
    private final List<Node> nodes = new ArrayList<>();
    /** By tensor x, what makes x / s of it. */
    private final Map<String, Node> divisions = new LinkedHashMap<>();

    /** @param factors s by the name of the tensor x that the layers read */
    SmoothedGraph(Graph prepared, Map<String, float[]> factors) {
        this.prepared = prepared;
        this.factors = factors;
        this.layers =
                ComparePoints.of(prepared).stream().map(ComparePoint::name).collect(Collectors.toSet());
        this.constants = new LinkedHashMap<>(prepared.constants());
        addDivisions();
        prepared.inputs().forEach(input -> addDivisionOf(input.name()));
        for (Node node : prepared.nodes()) {
            if (!replaces(node)) {
                nodes.add(smoothed(node));
            }
            node.outputs().forEach(this::addDivisionOf);
        }
    }

    Graph graph() {
        return prepared.withConstants(constants).withNodes(nodes);
    }

    /** The tensor x / s; the same name where the division takes the place of a branch that made x. */
    String quotient(String tensor) {
        return divisions.get(tensor).output();
    }

    /** Whether a node divides a tensor by such factors; where it took a branch's place it has the branch's name. */
    static boolean isSmoothing(Graph graph, Node node) {
        return node.is("Mul") && node.input(1).contains(FACTORS) && graph.isConstant(node.input(1));
    }

    /** Whether such a node has a name that the prepared graph does not know. */
    static boolean isNew(Node smoothing) {
        return smoothing.name().contains(SUFFIX);
    }

    private void addDivisions() {
        Map<String, Node> producers = prepared.producers();
        Names tensors = Names.ofTensors(prepared);
        Names names = Names.ofNodes(prepared);
        factors.forEach((tensor, factor) -> {
            String inverse = tensors.fresh(tensor + FACTORS);
            constants.put(inverse, inverse(factor));
            Node producer = producers.get(tensor);
            boolean branch = producer != null && IntegerBranches.isBranch(prepared, producer);
            String stem = producer == null ? tensor : producer.name();
            divisions.put(
                    tensor,
                    new Node(
                            branch ? stem : names.fresh(stem + SUFFIX),
                            "Mul",
                            List.of(branch ? producer.input(0) : tensor, inverse),
                            List.of(branch ? tensor : tensors.fresh(tensor + SUFFIX)),
                            Map.of()));
        });
    }

    private void addDivisionOf(String tensor) {
        if (divisions.containsKey(tensor)) {
            nodes.add(divisions.get(tensor));
        }
    }

    /** Whether a division takes the place of that branch. */
    private boolean replaces(Node node) {
        return divisions.containsKey(node.output()) && quotient(node.output()).equals(node.output());
    }

    /** The node itself, or the layer that reads x / s. */
    private Node smoothed(Node node) {
        String tensor = node.input(0);
        boolean layer = layers.contains(node.name()) && SmoothableInput.isReader(prepared, node);
        if (!layer || !divisions.containsKey(tensor)) {
            return node;
        }
        String kernel = node.input(1);
        constants.put(kernel, times(node, constants.get(kernel), factors.get(tensor)));
        List<String> inputs = new ArrayList<>(node.inputs());
        inputs.set(0, quotient(tensor));
        return node.withInputs(inputs);
    }

    private static TensorData inverse(float[] factor) {
        float[] inverse = new float[factor.length];
        for (int i = 0; i < inverse.length; i++) {
            inverse[i] = 1 / factor[i];
        }
        return TensorData.ofFloats(inverse, inverse.length);
    }

    private static TensorData times(Node layer, TensorData kernel, float[] factor) {
        int columns = (int) kernel.shape()[1];
        boolean rowsFirst = SmoothableInput.inputAxis(layer) == 0;
        float[] values = kernel.floats().clone();
        for (int i = 0; i < values.length; i++) {
            values[i] *= factor[rowsFirst ? i / columns : i % columns];
        }
        return TensorData.ofFloats(values, kernel.shape());
    }
}
