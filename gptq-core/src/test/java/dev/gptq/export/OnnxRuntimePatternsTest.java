package dev.gptq.export;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.Decomposed;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.testing.OptimizedModel;
import dev.gptq.testing.Quantized;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Quantizers stand where ONNX Runtime makes integer kernels of the operators around them, and nowhere else. */
class OnnxRuntimePatternsTest {
    @TempDir
    private Path folder;

    static Stream<Arguments> graphs() {
        return PatternCases.all();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("graphs")
    void integerKernelsRunAndStudentAndRuntimeAgree(
            String name, Graph graph, TensorData input, String tensors, String kernels) {
        Quantized quantized = Quantized.of(graph, QuantizationConfig.defaults(), Map.of("x", input));
        Map<String, Integer> operators = OptimizedModel.operators(quantized.file(), folder);

        assertThat(quantized.activations()).as("%s", operators).containsExactlyInAnyOrder(tensors.split(" "));
        for (String kernel : kernels.split(" ")) {
            String[] expected = kernel.split("=");
            assertThat(operators.getOrDefault(expected[0], 0))
                    .as("%s in %s", expected[0], operators)
                    .isEqualTo(Integer.parseInt(expected[1]));
        }
        assertThat(quantized.agreement(1.001 * quantized.outputStep())).isGreaterThan(0.97);
        assertThat(quantized.error()).isLessThan(0.01);
    }

    /** ONNX Runtime would cut off the fractions of what it interpolates between integers. */
    @Test
    void interpolationBetweenEqualGridsStaysInFloat() {
        // Every value of c is one of f, so both have the same largest one.
        Quantized quantized = Quantized.of(
                PatternCases.conv("c")
                        .constant("z", TensorData.ofFloats(new float[] {1, 1, 1.875f, 1.875f}, 4))
                        .node(
                                "Resize",
                                "c - z",
                                "f",
                                "mode",
                                "linear",
                                "coordinate_transformation_mode",
                                "align_corners")
                        .weight("w2", 3, 4, 3, 3)
                        .node("Conv", "f w2", "out", "pads", PatternCases.ONES)
                        .build(),
                unclipped(QuantizationConfig.ofPreset("imx500")),
                Map.of("x", Models.random(9, 4, 3, 8, 8)));

        assertThat(quantized.plan().activations().stream()
                        .filter(quantizer -> Set.of("c", "f").contains(quantizer.tensor()))
                        .map(quantizer -> quantizer.grid().scale()[0])
                        .distinct())
                .hasSize(1);
        assertThat(OptimizedModel.operators(quantized.file(), folder))
                .containsAllEntriesOf(
                        Map.of("QLinearConv", 2, "Resize", 1, "DequantizeLinear", 2, "QuantizeLinear", 2));
    }

    private static QuantizationConfig unclipped(QuantizationConfig config) {
        QuantizationConfig.Activations given = config.activations();
        return config.withActivations(new QuantizationConfig.Activations(
                given.bits(),
                given.method(),
                given.signed(),
                ThresholdMethod.NO_CLIPPING,
                given.lpNorm(),
                given.zThreshold()));
    }

    @Test
    void otherTargetsSeeUnitsToo() {
        GraphBuilder builder = Decomposed.GELU_OF_ERF.addTo(PatternCases.matMul("m"), "m", "f");
        Quantized quantized = Quantized.of(
                builder.weight("w2", 6, 6).node("MatMul", "f w2", "out").build(),
                QuantizationConfig.ofPreset("imx500"),
                Map.of("x", Models.random(9, 4, 5, 6)));

        assertThat(quantized.activations()).containsExactly("x", "m", "f", "out");
    }
}
