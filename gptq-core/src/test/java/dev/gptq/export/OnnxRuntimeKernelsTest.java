package dev.gptq.export;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.testing.OptimizedModel;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class OnnxRuntimeKernelsTest {
    @TempDir
    private Path folder;

    @ParameterizedTest(name = "{0}, {1}")
    @CsvSource({
        "m1_folded.onnx, onnxruntime, 5",
        "m1_folded.onnx, imx500, 5",
        "m1_folded.onnx, tensorrt, 5",
        "m2_folded.onnx, onnxruntime, 24",
        "m2_folded.onnx, imx500, 24",
        "m2_folded.onnx, tensorrt, 24"
    })
    void everyLayerRunsOnAnIntegerKernel(String model, String preset, int layers) throws Exception {
        try (QuantizedModel quantized = QuantizedModel.of(model, QuantizationConfig.ofPreset(preset))) {
            assertThat(quantized.plan().weights()).hasSize(layers);

            Map<String, Integer> operators = OptimizedModel.operators(quantized.file(), folder);

            assertThat(OptimizedModel.integerLayers(operators))
                    .as("%s", operators)
                    .isEqualTo(layers);
            assertThat(operators).doesNotContainKeys("Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul");
        }
    }

    @Test
    void theFileIsMuchSmallerThanTheFloatOne() {
        try (QuantizedModel quantized = QuantizedModel.of("m1_folded.onnx", QuantizationConfig.defaults())) {
            assertThat(3.3 * quantized.file().length).isLessThan(quantized.floatFile().length);
        }
    }

    @Test
    void equalArgumentsGiveEqualBytes() {
        try (QuantizedModel first = QuantizedModel.of("m1_folded.onnx", QuantizationConfig.defaults());
                QuantizedModel second = QuantizedModel.of("m1_folded.onnx", QuantizationConfig.defaults())) {
            assertThat(first.file()).isEqualTo(second.file());
        }
    }
}
