package dev.gptq.engine;

import dev.gptq.graph.Graph;
import dev.gptq.graph.OperatorSupport;
import dev.gptq.graph.SupportedOperators;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.Closeness;
import dev.gptq.testing.Models;
import dev.gptq.testing.OnnxRuntime;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

class OperatorsTest {
    private static final double TOLERANCE = 1e-4;

    static Stream<Arguments> cases() {
        return OperatorCases.all().entrySet().stream().map(entry -> Arguments.of(entry.getKey(), entry.getValue()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void operatorAnswersLikeOnnxRuntime(String name, Graph graph) {
        byte[] bytes = OnnxWriter.write(graph);
        Map<String, TensorData> input =
                Map.of("x", Models.random(name.hashCode(), graph.inputs().get(0).shape()));
        TensorData expected = OnnxRuntime.run(bytes, input).get("out");

        Closeness.assertClose(Models.run(graph, input).get("out"), expected, TOLERANCE);
        Closeness.assertClose(Models.run(OnnxReader.read(bytes, name), input).get("out"), expected, TOLERANCE);
    }

    @Test
    void everyOperatorOfTheEngineHasACase() {
        Set<String> covered = OperatorCases.all().values().stream()
                .flatMap(graph -> graph.nodes().stream())
                .map(node -> node.opType())
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(covered).containsExactlyInAnyOrderElementsOf(Operators.names());
    }

    @Test
    void theEngineHasEveryOperatorThatGradientsPassThrough() {
        Set<String> differentiable = SupportedOperators.NAMES.stream()
                .filter(name -> SupportedOperators.of(name).way() == OperatorSupport.Way.DIFFERENTIABLE)
                .filter(name -> !name.equals("Constant"))
                .collect(Collectors.toSet());

        assertThat(Operators.names()).containsAll(differentiable);
        assertThat(SupportedOperators.NAMES).containsAll(Operators.names());
    }
}
