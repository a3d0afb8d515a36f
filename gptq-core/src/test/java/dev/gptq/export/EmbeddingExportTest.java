package dev.gptq.export;

import dev.gptq.calibrate.LeftInFloat;
import dev.gptq.config.LayerOverride;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Quantized;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Two embeddings, one table of which has two readers, and a linear layer. */
class EmbeddingExportTest {
    private static final int VOCABULARY = 50;
    private static final int SIZE = 64;
    private static final Graph GRAPH = new GraphBuilder(13)
            .input("tokens", ElementType.INT64, -1, 9)
            .input("others", ElementType.INT64, -1, 9)
            .weight("table", VOCABULARY, SIZE)
            .weight("w", SIZE, 6)
            .node("Gather", "table tokens", "first")
            .node("Gather", "table others", "second")
            .node("Sub", "first second", "difference")
            .node("MatMul", "difference w", "out")
            .build();
    private static final Map<String, TensorData> BATCH = Map.of("tokens", tokens(1), "others", tokens(2));

    @ParameterizedTest(name = "{0} bits, {1}, per row: {2}")
    @CsvSource({
        "8, SYMMETRIC, true",
        "8, SYMMETRIC, false",
        "4, POWER_OF_TWO, true",
        "3, UNIFORM, false",
        "8, UNIFORM, true",
        "8, UNIFORM, false"
    })
    void onnxRuntimeReadsTheRowsThatTheStudentReads(int bits, QuantizationMethod method, boolean perRow) {
        for (int opset : new int[] {13, 21, 23}) {
            Quantized quantized = Quantized.of(GRAPH, config(bits, method, perRow, opset, List.of()), BATCH);

            assertThat(quantized.plan().weights())
                    .extracting(quantizer -> quantizer.bits())
                    .containsExactly(bits, bits, 8);
            assertThat(quantized.agreement(1.001 * quantized.outputStep())).isGreaterThan(0.99);
            assertThat(quantized.agreement(1e-6)).isGreaterThan(0.9);
            // A byte for a weight; in float four.
            assertThat(quantized.file().length).isLessThan(2 * VOCABULARY * (SIZE + 12) + 4_000);
        }
    }

    @Test
    void tablesStayInFloatWhereTheConfigurationSaysSo() {
        QuantizationConfig all = config(null, QuantizationMethod.SYMMETRIC, true, 13, List.of());
        QuantizationConfig one =
                config(8, QuantizationMethod.SYMMETRIC, true, 13, List.of(LayerOverride.skipping("first")));

        Quantized none = Quantized.of(GRAPH, all, BATCH);
        Quantized second = Quantized.of(GRAPH, one, BATCH);

        assertThat(none.layers()).hasSize(1);
        assertThat(LeftInFloat.of(none.prepared(), none.plan()))
                .extracting(LeftInFloat::node)
                .containsExactly("first", "second");
        assertThat(second.layers()).hasSize(2);
    }

    private static TensorData tokens(int seed) {
        return TensorData.ofLongs(
                ElementType.INT64, new Random(seed).longs(16 * 9, 0, VOCABULARY).toArray(), 16, 9);
    }

    private static QuantizationConfig config(
            Integer bits, QuantizationMethod method, boolean perRow, int opset, List<LayerOverride> layers) {
        QuantizationConfig config = QuantizationConfig.defaults();
        return new QuantizationConfig(
                config.preset(),
                new QuantizationConfig.Weights(8, method, perRow, ThresholdMethod.MSE, 2, null, bits),
                config.activations(),
                layers,
                config.preparation(),
                config.biasCorrection(),
                opset);
    }
}
