package dev.gptq.contributing;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.engine.Engines;
import dev.gptq.graph.TensorData;
import dev.gptq.train.DistillationLoss;
import dev.gptq.train.DistillationLosses;
import dev.gptq.train.OutputGradients;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** The loss that CONTRIBUTING.md adds, found by its name as a configuration names it. */
class HuberLossTest {
    private static final float[] WEIGHTS = {0.25f, 2};

    @Test
    void theShareAndItsGradientAreTheFormulas() {
        float[][] student = {{0, 0.5f, 3}, {-2}};
        float[][] teacher = {{0, 0, 0}, {0}};
        DistillationLoss loss = DistillationLosses.of(HuberLoss.class.getName());
        DistillationLoss.Context context = new DistillationLoss.Context(WEIGHTS, null, 1, null, 1, 4);
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            OutputGradients result = loss.differentiate(arrays(scope, student), arrays(scope, teacher), context);

            // Layer 0: (0 + .125 + 2.5) / 3, layer 1: 1.5; a quarter of the batch, the mean over two layers.
            double expected = (0.25 * 2.625 / 3 + 2 * 1.5) / 4 / 2;
            assertThat(result.share()).isCloseTo(expected, within(1e-6));
            float[] first = result.gradients().get(0).toFloatArray();
            float scale = 0.25f / 3 / 4 / 2;
            assertThat(first[1]).isCloseTo(0.5f * scale, within(1e-6f));
            assertThat(first[2]).isCloseTo(scale, within(1e-6f));
            assertThat(result.gradients().get(1).toFloatArray()[0]).isCloseTo(-2f / 4 / 2, within(1e-6f));
        }
    }

    @Test
    void aConfigurationMayNameItWhereUserClassesAreAllowed() {
        GradientPTQConfig config = GradientPTQConfig.builder()
                .setNEpochs(1)
                .optHessianWeightsConfig(null)
                .optLoss(HuberLoss.class.getName())
                .build();

        assertThat(config.loss()).isEqualTo("dev.gptq.contributing.HuberLoss");
    }

    private static List<NDArray> arrays(NDManager scope, float[][] layers) {
        return List.of(
                Engines.toArray(scope, TensorData.ofFloats(layers[0], 1, layers[0].length)),
                Engines.toArray(scope, TensorData.ofFloats(layers[1], 1, layers[1].length)));
    }
}
