package dev.gptq.calibrate;

import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class BiasGridTest {
    private static final ComparePoint FC = new ComparePoint("fc", "y", "w", "b", 0);
    private static final Graph GRAPH = new Graph(
            "chain",
            13,
            List.of(),
            List.of(),
            Map.of("w", TensorData.ofFloats(new float[] {1, 2}, 2, 1), "b", TensorData.ofFloats(new float[2], 2)),
            List.of(
                    new Node("relu", "Relu", List.of("x"), List.of("r"), Map.of()),
                    new Node("pool", "MaxPool", List.of("r"), List.of("p"), Map.of()),
                    new Node("flatten", "Flatten", List.of("p"), List.of("f"), Map.of()),
                    new Node("fc", "Gemm", List.of("f", "w", "b"), List.of("y"), Map.of())));
    private static final QuantizationGrid PER_CHANNEL =
            new QuantizationGrid(0, new float[] {0.5f, 0.125f}, new int[2], -8, 7);

    @Test
    void theScaleIsInputStepTimesWeightStep() {
        // Unsigned 8 bits below 4: step 1 / 64.
        assertThat(BiasGrid.scale(GRAPH, plan("r"), FC, PER_CHANNEL, 2)).containsExactly(1f / 128, 1f / 512);
        QuantizationGrid perTensor = new QuantizationGrid(-1, new float[] {0.5f}, new int[1], -8, 7);
        assertThat(BiasGrid.scale(GRAPH, plan("f"), FC, perTensor, 2)).containsExactly(1f / 128, 1f / 128);
    }

    @Test
    void theBiasStaysFloatWithoutAQuantizedInput() {
        // Relu changes values, so x's grid does not reach the layer.
        assertThat(BiasGrid.scale(GRAPH, plan("x"), FC, PER_CHANNEL, 2)).isNull();
    }

    @Test
    void biasesRoundHalfToEvenAndStayWithinInt32() {
        float[] scale = {0.5f, 0.5f, 0.5f, 1e-20f, 1e-20f};
        float[] bias = {0.25f, 0.75f, -0.76f, 1, -1};
        assertThat(BiasGrid.round(bias, scale)).containsExactly(0, 2, -2, Integer.MAX_VALUE, Integer.MIN_VALUE);
    }

    private static QuantizationPlan plan(String tensor) {
        ActivationQuantizer quantizer =
                new ActivationQuantizer(tensor, QuantizationMethod.POWER_OF_TWO, 8, false, 4, 0, 0);
        return new QuantizationPlan(List.of(), List.of(quantizer));
    }
}
