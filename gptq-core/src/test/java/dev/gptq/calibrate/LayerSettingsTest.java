package dev.gptq.calibrate;

import dev.gptq.GptqException;
import dev.gptq.config.LayerOverride;
import dev.gptq.config.LayerOverride.Values;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.testing.GraphBuilder;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class LayerSettingsTest {
    /** Two convolutions with Relu, their sum, and a MatMul with its bias in an Add. */
    private static final Graph GRAPH = new GraphBuilder(13)
            .input("x", -1, 3, 4, 4)
            .weight("w1", 3, 3, 1, 1)
            .weight("w2", 3, 3, 1, 1)
            .weight("w3", 48, 5)
            .weight("b3", 5)
            .node("Conv", "x w1", "stem/conv1")
            .node("Relu", "stem/conv1", "relu1")
            .node("Conv", "relu1 w2", "stem/conv2")
            .node("Add", "stem/conv2 relu1", "sum")
            .node("Relu", "sum", "relu2")
            .node("Flatten", "relu2", "flat")
            .node("MatMul", "flat w3", "head")
            .node("Add", "head b3", "out")
            .build();

    @Test
    void withoutOverridesEveryLayerHasTheModelsSettings() {
        LayerSettings settings = settings();

        assertThat(settings.points())
                .extracting(ComparePoint::name)
                .containsExactly("stem/conv1", "stem/conv2", "head");
        assertThat(settings.tensors())
                .containsExactly("x", "relu1", "stem/conv2", "relu2", "out")
                .containsExactlyElementsOf(ActivationTensors.namesByTensor(GRAPH, Fusing.ONNX_RUNTIME)
                        .keySet());
        for (ComparePoint point : settings.points()) {
            assertThat(settings.weights(point))
                    .isEqualTo(QuantizationConfig.defaults().weights());
        }
    }

    @Test
    void aLaterOverrideWinsWhereBothSetTheSameThing() {
        LayerSettings settings = settings(
                LayerOverride.ofWeights("stem/*", new Values(4, null, ThresholdMethod.MAE)),
                LayerOverride.ofWeights("*conv?", new Values(3, QuantizationMethod.POWER_OF_TWO, null)),
                LayerOverride.ofWeights("stem/conv2", Values.ofBits(2)));
        QuantizationConfig.Weights first = settings.weights(settings.points().get(0));
        QuantizationConfig.Weights second = settings.weights(settings.points().get(1));

        assertThat(first)
                .isEqualTo(new QuantizationConfig.Weights(
                        3, QuantizationMethod.POWER_OF_TWO, true, ThresholdMethod.MAE, 2));
        assertThat(second)
                .isEqualTo(new QuantizationConfig.Weights(
                        2, QuantizationMethod.POWER_OF_TWO, true, ThresholdMethod.MAE, 2));
        assertThat(settings.weights(settings.points().get(2)).bits()).isEqualTo(8);
    }

    @Test
    void theFirstAndTheLastKernelMayHaveBitsOfTheirOwnUnlessAnOverrideSaysOtherwise() {
        QuantizationConfig.Weights twoBits =
                new QuantizationConfig.Weights(2, QuantizationMethod.SYMMETRIC, true, ThresholdMethod.MSE, 2, 8);
        QuantizationConfig config = QuantizationConfig.defaults().withWeights(twoBits);

        assertThat(bits(config)).containsExactly(8, 2, 8);
        assertThat(bits(config.withLayers(List.of(LayerOverride.ofWeights("head", Values.ofBits(4))))))
                .containsExactly(8, 2, 4);
        assertThat(bits(config.withLayers(List.of(LayerOverride.skipping("stem/conv1")))))
                .containsExactly(2, 8);
    }

    private static List<Integer> bits(QuantizationConfig config) {
        LayerSettings settings = LayerSettings.of(GRAPH, config);
        return settings.points().stream()
                .map(point -> settings.weights(point).bits())
                .toList();
    }

    @Test
    void aSkippedLayerIsNoComparePointUnlessALaterOverrideTakesItBack() {
        LayerSettings settings =
                settings(LayerOverride.skipping("stem/*"), new LayerOverride("stem/conv2", null, null, false));

        assertThat(settings.points()).extracting(ComparePoint::name).containsExactly("stem/conv2", "head");
        assertThat(settings.tensors()).contains("relu1");
    }

    @Test
    void anActivationIsReachedByTheNameOfEveryNodeInItsFusedGroup() {
        assertThat(tensorsWithFourBits("stem/conv1")).containsExactly("relu1");
        assertThat(tensorsWithFourBits("relu1")).containsExactly("relu1");
        assertThat(tensorsWithFourBits("sum")).containsExactly("relu2");
        assertThat(tensorsWithFourBits("head")).containsExactly("out");
        assertThat(tensorsWithFourBits("x")).containsExactly("x");
        assertThat(tensorsWithFourBits("stem/*")).containsExactly("relu1", "stem/conv2");
    }

    @Test
    void aPatternThatMatchesNothingNamesTheNearestLayers() {
        assertThatThrownBy(() -> settings(LayerOverride.skipping("stem/conv3")))
                .isInstanceOf(GptqException.class)
                .hasMessage("Cannot use quantization.layers.name 'stem/conv3': it matches no layer with a kernel. "
                        + "The nearest names are stem/conv1, stem/conv2, head.");
        assertThatThrownBy(() -> settings(LayerOverride.ofWeights("relu1", Values.ofBits(4))))
                .hasMessageContaining("'relu1': it matches no layer with a kernel");
        assertThatThrownBy(() -> settings(LayerOverride.ofActivations("flat", Values.ofBits(4))))
                .hasMessageContaining("'flat': it matches no layer.");
    }

    @Test
    void aModelWithoutAnyQuantizedKernelIsRefused() {
        assertThatThrownBy(() -> settings(LayerOverride.skipping("*")))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("skips all of its 3 layers");
    }

    @Test
    void charactersOfRegularExpressionsStandForThemselves() {
        LayerOverride override = LayerOverride.skipping("a.b[0]?(*");

        assertThat(override.matches("a.b[0]x(")).isTrue();
        assertThat(override.matches("a.b[0]x(rest")).isTrue();
        assertThat(override.matches("aXb[0]x(")).isFalse();
        assertThat(override.matches("a.b[0](")).isFalse();
    }

    private static List<String> tensorsWithFourBits(String name) {
        LayerSettings settings = settings(LayerOverride.ofActivations(name, Values.ofBits(4)));
        return settings.tensors().stream()
                .filter(tensor -> settings.activations(tensor).bits() == 4)
                .toList();
    }

    private static LayerSettings settings(LayerOverride... overrides) {
        return LayerSettings.of(GRAPH, QuantizationConfig.defaults().withLayers(List.of(overrides)));
    }
}
