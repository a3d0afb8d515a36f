package dev.gptq.export;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import dev.gptq.config.QuantizationConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class OnnxRuntimeKernelsTest {
    private static final Set<String> INTEGER_LAYERS =
            Set.of("QLinearConv", "QGemm", "QLinearMatMul", "MatMulIntegerToFloat");

    /** Without it, ONNX Runtime on x64 leaves int8 activations with several consumers in float. */
    private static final String INT8_ACTIVATIONS_ON_X64 = "session.qdqisint8allowed";

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

            Map<String, Integer> operators = optimized(quantized.file());

            int integerLayers = operators.entrySet().stream()
                    .filter(entry -> INTEGER_LAYERS.contains(entry.getKey()))
                    .mapToInt(Map.Entry::getValue)
                    .sum();
            assertThat(integerLayers).as("%s", operators).isEqualTo(layers);
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

    /** How often each operator occurs in the graph that ONNX Runtime makes of a model. */
    private Map<String, Integer> optimized(byte[] model) throws Exception {
        Path file = folder.resolve("optimized.onnx");
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.addConfigEntry(INT8_ACTIVATIONS_ON_X64, "1");
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.EXTENDED_OPT);
            options.setOptimizedModelFilePath(file.toString());
            OrtEnvironment.getEnvironment().createSession(model, options).close();
        }
        Map<String, Integer> operators = new TreeMap<>();
        OnnxMl.ModelProto.parseFrom(Files.readAllBytes(file))
                .getGraph()
                .getNodeList()
                .forEach(node -> operators.merge(node.getOpType(), 1, Integer::sum));
        return operators;
    }
}
