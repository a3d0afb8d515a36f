package dev.gptq.calibrate;

import dev.gptq.config.PreparationConfig;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.testing.Models;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class ActivationTensorsTest {
    @ParameterizedTest
    @CsvSource({
        "Conv, Relu, true",
        "Conv, Clip, true",
        "Conv, LeakyRelu, true",
        "Conv, HardSwish, true",
        "Conv, Sigmoid, true",
        "Conv, Tanh, true",
        "Conv, Softmax, false",
        "Gemm, Relu, true",
        "Gemm, Sigmoid, true",
        "Gemm, Tanh, false",
        "Add, Relu, true",
        "Add, Sigmoid, false",
        "Mul, Clip, true",
        "GlobalAveragePool, Relu, false"
    })
    void onlyTheLastTensorOfAFusedGroupIsQuantized(String first, String second, boolean fused) {
        Graph graph = graph(List.of("y"), node(first, "x", "a"), node(second, "a", "y"));
        assertThat(tensors(graph)).isEqualTo(fused ? List.of("x", "y") : List.of("x", "a", "y"));
    }

    @Test
    void aTensorThatSomethingElseReadsKeepsItsQuantizer() {
        Graph twoReaders =
                graph(List.of("y", "z"), node("Conv", "x", "a"), node("Relu", "a", "y"), node("Tanh", "a", "z"));
        assertThat(tensors(twoReaders)).containsExactly("x", "a", "y", "z");
        Graph output = graph(List.of("a", "y"), node("Conv", "x", "a"), node("Relu", "a", "y"));
        assertThat(tensors(output)).containsExactly("x", "a", "y");
    }

    @Test
    void operatorsThatMoveValuesGetNoQuantizer() {
        Graph graph = graph(
                List.of("e"),
                node("Relu", "x", "a"),
                node("MaxPool", "a", "b"),
                node("Flatten", "b", "c"),
                node("Transpose", "c", "d"),
                node("Softmax", "d", "e"));
        assertThat(tensors(graph)).containsExactly("x", "a", "e");
    }

    @Test
    void shapesAreNoActivations() {
        Graph graph = graph(
                List.of("y"),
                node("Shape", "x", "s"),
                new Node("g", "Gather", List.of("s", "index"), List.of("n"), Map.of()),
                new Node("m", "Mul", List.of("n", "index"), List.of("p"), Map.of()),
                node("Relu", "x", "y"));
        assertThat(tensors(graph)).containsExactly("x", "y");
    }

    @Test
    void matMulBiasAndActivationAreOneGroup() {
        Graph graph = graph(
                List.of("y"),
                new Node("product", "MatMul", List.of("x", "w"), List.of("a"), Map.of()),
                new Node("bias", "Add", List.of("a", "bias"), List.of("b"), Map.of()),
                node("HardSwish", "b", "y"));
        assertThat(tensors(graph)).containsExactly("x", "y");
    }

    @Test
    void residualModelQuantizesAddsAndOneTensorPerConvolution() {
        Graph graph =
                GraphPreparation.prepare(OnnxReader.read(Models.bytes("m2_bn"), "m2_bn"), PreparationConfig.defaults());
        List<String> tensors = tensors(graph);
        Map<String, Node> producers = graph.producers();
        Set<String> quantized = Set.copyOf(tensors);
        for (Node node : graph.nodes()) {
            if (node.is("Clip") || node.is("Add") || node.is("GlobalAveragePool")) {
                assertThat(quantized).contains(node.output());
            }
        }
        long behindClip = graph.nodes().stream()
                .filter(node -> node.is("Clip"))
                .map(node -> producers.get(node.input(0)))
                .filter(producer -> quantized.contains(producer.output()))
                .count();
        assertThat(behindClip).isZero();
    }

    private static Node node(String type, String input, String output) {
        List<String> inputs =
                switch (type) {
                    case "Conv" -> List.of(input, "kernel_" + output, "");
                    case "Gemm" -> List.of(input, "w", "");
                    case "Add", "Mul" -> List.of(input, "bias");
                    default -> List.of(input);
                };
        return new Node(type + "_" + output, type, inputs, List.of(output), Map.of());
    }

    private static Graph graph(List<String> outputs, Node... nodes) {
        Map<String, TensorData> constants = new HashMap<>();
        constants.put("w", TensorData.ofFloats(new float[4], 2, 2));
        constants.put("bias", TensorData.ofFloats(new float[2], 2));
        constants.put("index", TensorData.ofLongs(ElementType.INT64, new long[] {0}, 1));
        Arrays.stream(nodes)
                .filter(node -> node.is("Conv"))
                .forEach(node -> constants.put(node.input(1), TensorData.ofFloats(new float[4], 2, 2, 1, 1)));
        return new Graph(
                "test",
                13,
                List.of(new ValueInfo("x", ElementType.FLOAT32, new long[] {-1, 2, 4, 4})),
                outputs.stream()
                        .map(name -> new ValueInfo(name, ElementType.FLOAT32, new long[] {-1}))
                        .toList(),
                constants,
                List.of(nodes));
    }

    private static List<String> tensors(Graph graph) {
        return List.copyOf(
                ActivationTensors.namesByTensor(graph, Fusing.TOOLKIT).keySet());
    }
}
