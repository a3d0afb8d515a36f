package dev.gptq.calibrate;

import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.Npz;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class BiasCorrectionTest {
    private static final Npz MODEL = Npz.resource("/oracle/m1_info.npz");
    private static final int BITS = 4;

    @ParameterizedTest
    @CsvSource({"conv1_bn, x", "conv2_bn, relu1", "conv3_bn, relu2", "conv4_bn, relu3", "fc, flatten"})
    void termsEqualMcts(String layer, String input) {
        TensorData kernel = TensorData.ofFloats(MODEL.floats(layer + "|w"), MODEL.shape(layer + "|w"));
        double[] threshold = MODEL.doubles(layer + "|mct_threshold_w4sym");
        QuantizationGrid grid =
                new WeightQuantizer(null, QuantizationMethod.SYMMETRIC, BITS, 0, threshold, null, null, null).grid();
        Node node = layer.equals("fc") ? node("Gemm", Map.of("transB", 1L)) : node("Conv", Map.of());
        double[] term =
                BiasCorrection.of(node, kernel, rounded(grid, kernel), MODEL.doubles(input + "|mean_per_channel"));
        double[] expected = MODEL.doubles(layer + "|bias_correction_w4sym");
        assertThat(term).hasSameSizeAs(expected);
        for (int channel = 0; channel < term.length; channel++) {
            assertThat(term[channel]).isCloseTo(expected[channel], Offset.offset(2e-6));
        }
    }

    @Test
    void groupsSeeOnlyTheirOwnInputs() {
        // Two groups of one input and one output channel, kernels 1x2; Q(W) - W is (1, 1) and (2, 2).
        TensorData kernel = TensorData.ofFloats(new float[4], 2, 1, 1, 2);
        float[] quantized = {1, 1, 2, 2};
        assertThat(BiasCorrection.of(node("Conv", Map.of("group", 2L)), kernel, quantized, new double[] {10, 100}))
                .containsExactly(20, 400);
    }

    @Test
    void transposedConvolutionCountsOnlyThePositionsAnOutputSees() {
        // One input, two outputs, kernel 2x2, stride 2: each output pixel meets one kernel element.
        TensorData kernel = TensorData.ofFloats(new float[8], 1, 2, 2, 2);
        float[] quantized = {1, 1, 1, 1, 2, 2, 2, 2};
        Node node = node("ConvTranspose", Map.of("strides", new long[] {2, 2}));
        assertThat(BiasCorrection.of(node, kernel, quantized, new double[] {10}))
                .containsExactly(10, 20);
    }

    @Test
    void matMulSumsOverTheKernelsRows() {
        TensorData kernel = TensorData.ofFloats(new float[6], 2, 3);
        float[] quantized = {1, 2, 3, 4, 5, 6};
        assertThat(BiasCorrection.of(node("MatMul", Map.of()), kernel, quantized, new double[] {1, 10}))
                .containsExactly(41, 52, 63);
    }

    @Test
    void matricesThatShareABiasGetTheMeanOfTheirTerms() {
        TensorData kernel = TensorData.ofFloats(new float[8], 2, 2, 2);
        float[] quantized = {1, 2, 3, 4, 5, 6, 7, 8};
        // (1 + 30 + 5 + 70) / 2 and (2 + 40 + 6 + 80) / 2
        assertThat(BiasCorrection.of(node("MatMul", Map.of()), kernel, quantized, new double[] {1, 10}))
                .containsExactly(53, 64);
        assertThat(BiasCorrection.ofConstant(node("MatMul", Map.of()), kernel, quantized, 1))
                .containsExactly(8, 10);
    }

    private static float[] rounded(QuantizationGrid grid, TensorData kernel) {
        return grid.dequantize(grid.quantize(kernel.floats(), kernel.shape()), kernel.shape());
    }

    private static Node node(String type, Map<String, Serializable> attributes) {
        return new Node("layer", type, List.of("x", "w", "b"), List.of("y"), attributes);
    }
}
