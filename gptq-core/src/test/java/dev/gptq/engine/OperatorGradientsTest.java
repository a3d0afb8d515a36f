package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.OperatorSupport;
import dev.gptq.graph.SupportedOperators;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.testing.Models;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** Every operator's gradient against central differences, in float64: with respect to its data and to its weights. */
class OperatorGradientsTest {
    private static final double STEP = 1e-5;
    /** Central differences are off by about STEP^2 and by 1e-16 / STEP. */
    private static final double TOLERANCE = 1e-7;

    private static final int ELEMENTS = 12;

    static Stream<Arguments> cases() {
        return OperatorCases.all().entrySet().stream()
                .filter(entry -> isDifferentiable(entry.getValue()))
                .map(entry -> Arguments.of(entry.getKey(), inDoublePrecision(entry.getValue())));
    }

    /** d/de of sum(r * f(x + e * d)) at 0 is the gradient's inner product with d. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void gradientIsTheSlopeOfTheFunction(String name, Graph graph) {
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            Map<String, TensorData> leaves = leaves(graph);
            NDArray out = run(executor, feeds(scope, leaves));
            NDArray upstream = Engines.toArray(
                    scope, doubles(Models.random(4, out.getShape().getShape())));
            Map<String, double[]> gradients = gradients(executor, leaves, upstream);
            Random random = new Random(5);
            for (Map.Entry<String, TensorData> leaf : leaves.entrySet()) {
                int size = leaf.getValue().size();
                for (int i = 0; i < Math.min(ELEMENTS, size); i++) {
                    int element = size <= ELEMENTS ? i : random.nextInt(size);
                    double above = weighted(executor, moved(leaves, leaf.getKey(), element, STEP), upstream);
                    double below = weighted(executor, moved(leaves, leaf.getKey(), element, -STEP), upstream);
                    double slope = (above - below) / (2 * STEP);
                    assertThat(gradients.get(leaf.getKey())[element])
                            .as("element %d of %s", element, leaf.getKey())
                            .isCloseTo(slope, within(TOLERANCE * Math.max(1, Math.abs(slope))));
                }
            }
        }
    }

    @Test
    void everyOperatorOfRealNumbersHasACase() {
        Set<String> covered = OperatorCases.all().values().stream()
                .filter(OperatorGradientsTest::isDifferentiable)
                .flatMap(graph -> graph.nodes().stream())
                .map(Node::opType)
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> differentiable = SupportedOperators.NAMES.stream()
                .filter(name -> SupportedOperators.of(name).way() == OperatorSupport.Way.DIFFERENTIABLE)
                .filter(name -> !name.equals("Constant"))
                .collect(Collectors.toSet());

        assertThat(covered).containsAll(differentiable);
    }

    /** Whether the data stays real on its way: rounding to integers leaves no slope. */
    private static boolean isDifferentiable(Graph graph) {
        boolean toIntegers = graph.nodes().stream()
                .anyMatch(node -> node.is("Cast") && node.integer("to", 0) == ElementType.INT64.onnxCode());
        return !toIntegers && graph.outputs().get(0).type().isFloating();
    }

    private static Graph inDoublePrecision(Graph graph) {
        Map<String, TensorData> constants = new LinkedHashMap<>();
        graph.constants()
                .forEach((name, value) -> constants.put(name, value.type().isFloating() ? doubles(value) : value));
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            Map<String, Serializable> attributes = new HashMap<>(node.attributes());
            attributes.computeIfPresent("to", (key, value) -> (long) ElementType.FLOAT64.onnxCode());
            nodes.add(new Node(node.name(), node.opType(), node.inputs(), node.outputs(), attributes));
        }
        List<ValueInfo> inputs = graph.inputs().stream()
                .map(input -> new ValueInfo(input.name(), ElementType.FLOAT64, input.shape()))
                .toList();
        return new Graph(graph.name(), graph.opset(), inputs, graph.outputs(), constants, nodes);
    }

    private static TensorData doubles(TensorData floats) {
        double[] values = new double[floats.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = floats.floats()[i];
        }
        return TensorData.ofDoubles(values, floats.shape());
    }

    /** The data, and the constants that a model could learn: no limits, exponents or statistics. */
    private static Map<String, TensorData> leaves(Graph graph) {
        Map<String, TensorData> leaves = new LinkedHashMap<>();
        leaves.put("x", doubles(Models.random(3, graph.inputs().get(0).shape())));
        for (Node node : graph.nodes()) {
            int learnable =
                    switch (node.opType()) {
                        case "BatchNormalization" -> 3;
                        case "Resize" -> 1;
                        default -> node.inputs().size();
                    };
            for (String input : node.inputs().subList(0, learnable)) {
                TensorData constant = graph.constants().get(input);
                if (constant != null && constant.type().isFloating() && constant.rank() > 0) {
                    leaves.put(input, constant);
                }
            }
        }
        return leaves;
    }

    private static Map<String, NDArray> feeds(NDManager scope, Map<String, TensorData> leaves) {
        Map<String, NDArray> feeds = Engines.toArrays(scope, leaves);
        return feeds;
    }

    private static NDArray run(GraphExecutor executor, Map<String, NDArray> feeds) {
        NDManager scope = feeds.get("x").getManager();
        return executor.run(scope, feeds, TensorHook.NONE, Set.of()).get("out");
    }

    private static Map<String, double[]> gradients(
            GraphExecutor executor, Map<String, TensorData> leaves, NDArray upstream) {
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            Map<String, NDArray> feeds = feeds(scope, leaves);
            feeds.values().forEach(Autograd::leaf);
            Autograd.backward(run(executor, feeds), upstream, false);
            Map<String, double[]> gradients = new HashMap<>();
            feeds.forEach(
                    (name, leaf) -> gradients.put(name, Autograd.gradient(leaf).toDoubleArray()));
            return gradients;
        }
    }

    private static double weighted(GraphExecutor executor, Map<String, TensorData> leaves, NDArray upstream) {
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            double[] out = run(executor, feeds(scope, leaves)).toDoubleArray();
            double[] weights = upstream.toDoubleArray();
            double sum = 0;
            for (int i = 0; i < out.length; i++) {
                sum += out[i] * weights[i];
            }
            return sum;
        }
    }

    private static Map<String, TensorData> moved(Map<String, TensorData> leaves, String name, int element, double by) {
        TensorData leaf = leaves.get(name);
        double[] values = leaf.doubles().clone();
        values[element] += by;
        Map<String, TensorData> moved = new LinkedHashMap<>(leaves);
        moved.put(name, TensorData.ofDoubles(values, leaf.shape()));
        return moved;
    }
}
