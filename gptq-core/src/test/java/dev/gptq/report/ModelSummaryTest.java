package dev.gptq.report;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.LayerOverride;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.export.QuantizedModel;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.GraphBuilder;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class ModelSummaryTest {
    private static final QuantizationConfig CONFIG = QuantizationConfig.defaults();

    @Test
    void everythingIsCounted() {
        GraphBuilder model = new GraphBuilder(13)
                .input("x", -1, 2, 4, 4)
                .weight("w", 5, 2, 3, 3)
                .weight("b", 5)
                .node("Conv", "x w b", "c", "pads", new long[] {1, 1, 1, 1})
                .node("Relu", "c", "r")
                .node("Relu", "r", "out");

        ModelSummary summary = ModelSummary.of(OnnxWriter.write(model.build()), "m", CONFIG);

        assertThat(summary.operators()).isEqualTo(Map.of("Conv", 1, "Relu", 2));
        assertThat(summary.opset()).isEqualTo(13);
        assertThat(summary.parameters()).isEqualTo(5 * 2 * 3 * 3 + 5);
        assertThat(summary.parameterBytes()).isEqualTo(4 * (5 * 2 * 3 * 3 + 5));
        // The input, and three tensors of five channels.
        assertThat(summary.activationBytes()).isEqualTo(4L * 16 * (2 + 3 * 5));
        assertThat(summary.taskBytes(8)).isEqualTo(4 * summary.parameterBytes() + 3 * 8 * summary.activationBytes());
        assertThat(summary.layers()).singleElement().satisfies(layer -> {
            assertThat(layer.name()).isEqualTo("c");
            assertThat(layer.operator()).isEqualTo("Conv");
            assertThat(layer.shape()).containsExactly(5, 2, 3, 3);
            assertThat(layer.bits()).isEqualTo(8);
        });
    }

    @Test
    void aModelOfOpenShapesIsSummarizedWithoutBeingRun() {
        GraphBuilder model =
                new GraphBuilder(13).input("x", -1, -1, 3).weight("w", 3, 4).node("MatMul", "x w", "out");

        ModelSummary summary = ModelSummary.of(OnnxWriter.write(model.build()), "m", CONFIG);

        assertThat(summary.activationBytes()).isNull();
        assertThat(summary.taskBytes(8)).isNull();
        assertThat(summary.layers()).hasSize(1);
    }

    @Test
    void theEstimatedSizeIsAboutThatOfTheExportedFile() {
        for (String name : new String[] {"m1_bn.onnx", "m2_bn.onnx"}) {
            try (QuantizedModel quantized = QuantizedModel.of(name, CONFIG)) {
                ModelSummary summary = ModelSummary.of(quantized.floatFile(), name, CONFIG);

                assertThat(summary.estimatedBytes())
                        .as(name)
                        .isCloseTo(quantized.file().length, Percentage.withPercentage(10));
                assertThat(summary.fileBytes()).isEqualTo(quantized.floatFile().length);
            }
        }
    }

    @Test
    void skippedLayersStayInFloat() {
        GraphBuilder model = new GraphBuilder(13)
                .input("x", -1, 300)
                .weight("v", 300, 400)
                .weight("w", 400, 50)
                .node("MatMul", "x v", "first")
                .node("Relu", "first", "r")
                .node("MatMul", "r w", "out");
        byte[] file = OnnxWriter.write(model.build());
        QuantizationConfig skipping = CONFIG.withLayers(List.of(LayerOverride.skipping("first")));

        ModelSummary all = ModelSummary.of(file, "m", CONFIG);
        ModelSummary rest = ModelSummary.of(file, "m", skipping);

        assertThat(rest.layers()).extracting(ModelSummary.Layer::bits).containsExactly(0, 8);
        assertThat(rest.estimatedBytes()).isGreaterThan(all.estimatedBytes() + 2 * 300 * 400);
    }

    @Test
    void aFileThatIsNoModelIsRefused() {
        GptqException failure =
                catchThrowableOfType(GptqException.class, () -> ModelSummary.of(new byte[] {1, 2}, "m", CONFIG));

        assertThat(failure.code()).isEqualTo(ErrorCode.BAD_INPUT);
    }
}
