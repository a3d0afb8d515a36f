package dev.gptq.export;

import dev.gptq.config.LayerOverride;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.testing.OptimizedModel;
import dev.gptq.testing.Quantized;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Activations of every width do in ONNX Runtime what they do in the student. */
class ActivationBitsTest {
    private static final Map<String, TensorData> BATCH = Map.of("x", Models.random(11, 8, 3, 9, 9));

    /** A stem with Relu, a block with a residual sum, a limit at 6, pooling and a linear layer. */
    private static final Graph GRAPH = new GraphBuilder(13)
            .input("x", -1, 3, 9, 9)
            .weight("w1", 6, 3, 3, 3)
            .weight("w2", 6, 1, 3, 3)
            .weight("w3", 6, 6, 1, 1)
            .weight("w4", 6, 5)
            .weight("b4", 5)
            .scalar("zero", 0)
            .scalar("six", 6)
            .node("Conv", "x w1", "c1", "pads", new long[] {1, 1, 1, 1})
            .node("Relu", "c1", "r1")
            .node("Conv", "r1 w2", "c2", "pads", new long[] {1, 1, 1, 1}, "group", 6)
            .node("Clip", "c2 zero six", "r2")
            .node("Conv", "r2 w3", "c3")
            .node("Add", "c3 r1", "sum")
            .node("MaxPool", "sum", "pool", "kernel_shape", new long[] {3, 3}, "strides", new long[] {3, 3})
            .node("GlobalAveragePool", "pool", "mean")
            .node("Flatten", "mean", "flat")
            .node("Gemm", "flat w4 b4", "out")
            .build();

    @TempDir
    private Path folder;

    @ParameterizedTest(name = "{1} bits, {0}, opset {2}")
    @CsvSource({
        "onnxruntime, 2, 13",
        "onnxruntime, 3, 21",
        "onnxruntime, 4, 13",
        "onnxruntime, 5, 13",
        "onnxruntime, 6, 22",
        "onnxruntime, 6, 23",
        "onnxruntime, 8, 23",
        "onnxruntime, 7, 13",
        "onnxruntime, 16, 13",
        "onnxruntime, 16, 21",
        "onnxruntime, 16, 22",
        "onnxruntime, 16, 23",
        "imx500, 2, 13",
        "imx500, 4, 21",
        "imx500, 16, 13",
        "tensorrt, 3, 13",
        "tensorrt, 5, 21",
        "tensorrt, 16, 13",
        "tensorrt, 16, 21"
    })
    void onnxRuntimeDoesWhatTheStudentDoes(String preset, int bits, int opset) {
        Quantized quantized = Quantized.of(GRAPH, config(preset, opset, "*", bits), BATCH);

        assertThat(quantized.plan().activations()).allMatch(quantizer -> quantizer.bits() == bits);
        // Sums of products differ in the last digits, which the next grid may round to another step.
        assertThat(quantized.agreement(1e-6)).isGreaterThan(0.9);
        assertThat(quantized.agreement(1.001 * quantized.outputStep())).isGreaterThan(0.98);
    }

    @Test
    void moreBitsMakeSmallerErrors() {
        double previous = Double.POSITIVE_INFINITY;
        for (int bits : List.of(2, 4, 6, 8, 16)) {
            double error = Quantized.of(GRAPH, config("onnxruntime", 13, "*", bits), BATCH)
                    .error();
            assertThat(error).as("%d bits", bits).isLessThan(previous / 1.5);
            previous = error;
        }
    }

    @Test
    void activationsOfFewBitsLeaveEveryLayerOnItsIntegerKernel() {
        for (String preset : List.of("onnxruntime", "tensorrt")) {
            Quantized quantized = Quantized.of(GRAPH, config(preset, 13, "*", 4), BATCH);

            Map<String, Integer> operators = OptimizedModel.operators(quantized.file(), folder);
            assertThat(OptimizedModel.integerLayers(operators))
                    .as("%s", operators)
                    .isEqualTo(4);
        }
    }

    @Test
    void aLayerOfSixteenBitsRunsBesideOnesOfEight() {
        for (int opset : List.of(13, 21)) {
            Quantized quantized = Quantized.of(GRAPH, config("onnxruntime", opset, "c2", 16), BATCH);

            assertThat(quantized.plan().activations())
                    .filteredOn(quantizer -> quantizer.bits() == 16)
                    .extracting(quantizer -> quantizer.tensor())
                    .containsExactly("r2");
            assertThat(quantized.agreement(1.001 * quantized.outputStep())).isGreaterThan(0.98);
            Map<String, Integer> operators = OptimizedModel.operators(quantized.file(), folder);
            // The layer that writes 16 bits and the one that reads them run in float.
            assertThat(OptimizedModel.integerLayers(operators))
                    .as("%s", operators)
                    .isEqualTo(2);
        }
    }

    private static QuantizationConfig config(String preset, int opset, String layer, int bits) {
        QuantizationConfig config = QuantizationConfig.ofPreset(preset);
        return new QuantizationConfig(
                preset,
                config.weights(),
                config.activations(),
                List.of(LayerOverride.ofActivations(layer, LayerOverride.Values.ofBits(bits))),
                config.preparation(),
                config.biasCorrection(),
                opset);
    }
}
