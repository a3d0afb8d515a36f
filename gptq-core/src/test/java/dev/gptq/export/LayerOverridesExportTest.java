package dev.gptq.export;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.LayerOverride;
import dev.gptq.config.LayerOverride.Values;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.engine.Engines;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.OnnxRuntime;
import dev.gptq.train.QuantizedStudent;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class LayerOverridesExportTest {
    private static final String MODEL = "m1_folded.onnx";
    private static final int IMAGES = 128;
    private static final double REQUIRED_SHARE = 0.999;

    @Test
    void bitsMethodsAndFloatLayersMayDifferFromLayerToLayer() {
        List<String> layers = names(QuantizationConfig.defaults());
        String second = layers.get(1);
        String skippedName = layers.get(2);
        QuantizationConfig config = QuantizationConfig.ofPreset("imx500")
                .withLayers(List.of(
                        LayerOverride.ofWeights("*", Values.ofBits(4)),
                        LayerOverride.skipping(skippedName),
                        new LayerOverride(
                                second, new Values(2, QuantizationMethod.UNIFORM, null), Values.ofBits(6), null),
                        new LayerOverride(
                                layers.get(0),
                                new Values(8, QuantizationMethod.POWER_OF_TWO, null),
                                new Values(null, QuantizationMethod.UNIFORM, null),
                                null)));
        SampleBatch images = QuantizedModel.images(0, IMAGES);
        try (QuantizedModel model = QuantizedModel.of(MODEL, config);
                NDManager scope = Engines.newScope(Device.cpu())) {
            assertThat(model.plan().weights())
                    .extracting(quantizer -> quantizer.point().name())
                    .hasSize(layers.size() - 1)
                    .doesNotContain(skippedName);
            assertThat(model.plan().weights()).extracting(WeightQuantizer::bits).startsWith(8, 2, 4);

            Graph prepared = model.executor().graph();
            Graph exported = QdqExporter.quantize(prepared, model.plan(), model.layers(), config.opset());
            Node skipped = node(prepared, skippedName);
            TensorData kernel =
                    exported.constants().get(node(exported, skippedName).input(1));
            assertThat(kernel.floats())
                    .isEqualTo(prepared.constants().get(skipped.input(1)).floats());

            float[] student = new QuantizedStudent(model.executor(), model.plan(), model.layers())
                    .run(scope, images)
                    .outputs()
                    .get("logits")
                    .toFloatArray();
            float[] runtime =
                    OnnxRuntime.run(model.file(), images.inputs()).get("logits").floats();
            float step = model.plan().activations().stream()
                    .filter(quantizer -> quantizer.tensor().equals("logits"))
                    .findFirst()
                    .orElseThrow()
                    .grid()
                    .scale()[0];
            int withinOneStep = 0;
            for (int i = 0; i < student.length; i++) {
                withinOneStep += Math.abs(runtime[i] - student[i]) <= 1.001f * step ? 1 : 0;
            }
            assertThat((double) withinOneStep / student.length).isGreaterThanOrEqualTo(REQUIRED_SHARE);
        }
    }

    private static List<String> names(QuantizationConfig config) {
        try (QuantizedModel model = QuantizedModel.of(MODEL, config)) {
            return model.plan().weights().stream()
                    .map(quantizer -> quantizer.point().name())
                    .toList();
        }
    }

    private static Node node(Graph graph, String name) {
        return graph.nodes().stream()
                .filter(node -> node.name().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
