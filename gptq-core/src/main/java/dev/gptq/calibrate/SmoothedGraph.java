package dev.gptq.calibrate;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.Names;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A graph whose linear layers read x / s and multiply it with s W in place of x and W. Factors are powers of two, so that not
 * one bit of an output changes.
 *
 * @param products by tensor x, the tensor x / s
 */
record SmoothedGraph(Graph graph, Map<String, String> products) {
    private static final String SUFFIX = "/smoothing";
    private static final String FACTORS = SUFFIX + "_factors";

    /** @param factors s by the name of the tensor x that the layers read */
    static SmoothedGraph of(Graph prepared, Map<String, float[]> factors) {
        Map<String, TensorData> constants = new LinkedHashMap<>(prepared.constants());
        Map<String, ComparePoint> points = ComparePoints.of(prepared).stream()
                .collect(Collectors.toMap(ComparePoint::weight, Function.identity()));
        Map<String, Node> producers = prepared.producers();
        Names tensors = Names.ofTensors(prepared);
        Names names = Names.ofNodes(prepared);
        Map<String, String> products = new LinkedHashMap<>();
        Map<String, Node> added = new HashMap<>();
        factors.forEach((tensor, factor) -> {
            Node producer = producers.get(tensor);
            boolean branch = producer != null && IntegerBranches.isBranch(prepared, producer);
            String inverse = tensors.fresh(tensor + FACTORS);
            constants.put(inverse, inverse(factor));
            String product = branch ? tensor : tensors.fresh(tensor + SUFFIX);
            Node node = new Node(
                    branch ? producer.name() : names.fresh((producer == null ? tensor : producer.name()) + SUFFIX),
                    "Mul",
                    List.of(branch ? producer.input(0) : tensor, inverse),
                    List.of(product),
                    Map.of());
            products.put(tensor, product);
            added.put(tensor, node);
        });
        List<Node> nodes = new ArrayList<>();
        prepared.inputs().stream()
                .map(input -> added.get(input.name()))
                .filter(node -> node != null)
                .forEach(nodes::add);
        for (Node node : prepared.nodes()) {
            ComparePoint layer = node.hasInput(1) ? points.get(node.input(1)) : null;
            boolean replaced = false;
            for (String output : node.outputs()) {
                Node product = added.get(output);
                replaced |= product != null && product.output().equals(output);
            }
            if (layer != null && products.containsKey(node.input(0))) {
                List<String> inputs = new ArrayList<>(node.inputs());
                inputs.set(0, products.get(node.input(0)));
                nodes.add(node.withInputs(inputs));
                constants.put(layer.weight(), scaled(node, constants.get(layer.weight()), factors.get(node.input(0))));
            } else if (!replaced) {
                nodes.add(node);
            }
            node.outputs().stream()
                    .map(added::get)
                    .filter(product -> product != null)
                    .forEach(nodes::add);
        }
        return new SmoothedGraph(prepared.withConstants(constants).withNodes(nodes), products);
    }

    /** Whether a node divides a tensor by such factors; where it took a branch's place it has the branch's name. */
    static boolean isSmoothing(Graph graph, Node node) {
        return node.is("Mul") && node.input(1).contains(FACTORS) && graph.isConstant(node.input(1));
    }

    /** Whether such a node has a name that the prepared graph does not know. */
    static boolean isNew(Node smoothing) {
        return smoothing.name().contains(SUFFIX);
    }

    private static TensorData inverse(float[] factor) {
        float[] inverse = new float[factor.length];
        for (int i = 0; i < inverse.length; i++) {
            inverse[i] = 1 / factor[i];
        }
        return TensorData.ofFloats(inverse, inverse.length);
    }

    private static TensorData scaled(Node layer, TensorData kernel, float[] factor) {
        int columns = (int) kernel.shape()[1];
        boolean transposed = layer.is("Gemm") && layer.integer("transB", 0) != 0;
        float[] values = kernel.floats().clone();
        for (int i = 0; i < values.length; i++) {
            values[i] *= factor[transposed ? i % columns : i / columns];
        }
        return TensorData.ofFloats(values, kernel.shape());
    }
}
