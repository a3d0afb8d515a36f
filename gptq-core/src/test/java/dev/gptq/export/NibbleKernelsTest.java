package dev.gptq.export;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.testing.OptimizedModel;
import dev.gptq.testing.Quantized;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Kernels of 2 to 4 bits are stored as INT4 from opset 21 on, and give what the same kernels in int8 give. */
class NibbleKernelsTest {
    private static final Map<String, TensorData> BATCH = Map.of("x", Models.random(11, 8, 3, 9, 9));

    /** A convolution, a transposed one, and linear layers with an odd number of weights. */
    private static final Graph GRAPH = new GraphBuilder(13)
            .input("x", -1, 3, 9, 9)
            .weight("w1", 16, 3, 3, 3)
            .weight("w2", 16, 8, 2, 2)
            .weight("w3", 8, 67)
            .weight("w4", 67, 11)
            .node("Conv", "x w1", "c1")
            .node("Relu", "c1", "r1")
            .node("ConvTranspose", "r1 w2", "c2")
            .node("GlobalAveragePool", "c2", "mean")
            .node("Flatten", "mean", "flat")
            .node("MatMul", "flat w3", "hidden")
            .node("Gemm", "hidden w4", "out")
            .build();

    @TempDir
    private Path folder;

    @ParameterizedTest(name = "{0} bits, {1}, opset {2}")
    @CsvSource({"2, SYMMETRIC, 21", "3, POWER_OF_TWO, 22", "4, SYMMETRIC, 21", "4, SYMMETRIC, 23", "3, UNIFORM, 21"})
    void theModelIsSmallerAndItsOutputsAreTheSame(int bits, QuantizationMethod method, int opset) {
        Quantized bytes = Quantized.of(GRAPH, config(bits, method, 20), BATCH);
        Quantized nibbles = Quantized.of(GRAPH, config(bits, method, opset), BATCH);

        assertThat(types(bytes)).doesNotContain(OnnxMl.TensorProto.DataType.INT4_VALUE);
        assertThat(types(nibbles).stream()
                        .filter(type -> type == OnnxMl.TensorProto.DataType.INT4_VALUE)
                        .count())
                .isEqualTo(4);
        int weights = nibbles.layers().stream()
                .mapToInt(layer -> layer.values().length)
                .sum();
        assertThat(bytes.file().length - nibbles.file().length).isGreaterThan(weights / 2 - 1_000);
        assertThat(nibbles.runtime().floats()).isEqualTo(bytes.runtime().floats());
        assertThat(OptimizedModel.integerLayers(OptimizedModel.operators(nibbles.file(), folder)))
                .isEqualTo(OptimizedModel.integerLayers(OptimizedModel.operators(bytes.file(), folder)))
                .isEqualTo(3);
    }

    private static List<Integer> types(Quantized quantized) {
        try {
            return OnnxMl.ModelProto.parseFrom(quantized.file()).getGraph().getInitializerList().stream()
                    .map(OnnxMl.TensorProto::getDataType)
                    .toList();
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }

    private static QuantizationConfig config(int bits, QuantizationMethod method, int opset) {
        QuantizationConfig config = QuantizationConfig.defaults();
        return new QuantizationConfig(
                config.preset(),
                new QuantizationConfig.Weights(bits, method, true, ThresholdMethod.MSE, 2),
                config.activations(),
                List.of(),
                config.preparation(),
                config.biasCorrection(),
                opset);
    }
}
