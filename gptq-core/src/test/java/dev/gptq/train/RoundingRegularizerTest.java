package dev.gptq.train;

import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.RoundingPhasesConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.testing.Npz;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class RoundingRegularizerTest {
    private static final Npz ORACLE = Npz.resource("/oracle/regularization.npz");
    private static final int LAYERS = 3;
    private static final int TOTAL_STEPS = 320;
    private static final double FACTOR = 0.01;

    @ParameterizedTest
    @ValueSource(strings = {"w", "ones"})
    void valuesFollowMctOverTheRun(String weights) {
        List<SoftRoundingQuantizer> layers = layers();
        RoundingRegularizer regularizer = regularizer(weights);
        double[] steps = ORACLE.doubles("steps");
        double[] expected = ORACLE.doubles("reg_" + weights);
        for (int i = 0; i < steps.length; i++) {
            double value = addTo(regularizer, layers, new float[elements()], (int) steps[i]);
            assertThat(value).isCloseTo(expected[i], Percentage.withPercentage(1e-3));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"w", "ones"})
    void gradientsEqualMcts(String weights) {
        List<SoftRoundingQuantizer> layers = layers();
        RoundingRegularizer regularizer = regularizer(weights);
        for (int step : new int[] {0, 192, 319}) {
            float[] gradient = new float[elements()];
            Arrays.fill(gradient, 1);
            addTo(regularizer, layers, gradient, step);
            int next = 0;
            for (int l = 0; l < LAYERS; l++) {
                for (float expected : ORACLE.floats("grad_" + weights + "_t" + step + "_aux" + l)) {
                    assertThat(gradient[next++] - 1).isCloseTo(expected, within(2e-7f + 1e-5f * Math.abs(expected)));
                }
            }
        }
    }

    private static double addTo(
            RoundingRegularizer regularizer, List<SoftRoundingQuantizer> layers, float[] gradient, int step) {
        double value = 0;
        for (int l = 0; l < LAYERS; l++) {
            value += regularizer.addTo(l, layers.get(l), gradient, step);
        }
        return value;
    }

    private static int elements() {
        int elements = 0;
        for (int l = 0; l < LAYERS; l++) {
            elements += ORACLE.floats("aux" + l).length;
        }
        return elements;
    }

    private static List<SoftRoundingQuantizer> layers() {
        List<SoftRoundingQuantizer> layers = new ArrayList<>();
        float[] variables = new float[elements()];
        int offset = 0;
        for (int l = 0; l < LAYERS; l++) {
            float[] alpha = ORACLE.floats("aux" + l);
            System.arraycopy(alpha, 0, variables, offset, alpha.length);
            WeightQuantizer weight = new WeightQuantizer(
                    new ComparePoint("layer" + l, "out", "w", null, 0),
                    QuantizationMethod.SYMMETRIC,
                    4,
                    -1,
                    new double[] {1},
                    null,
                    null,
                    null);
            SoftRoundingQuantizer layer =
                    new SoftRoundingQuantizer(weight, new float[alpha.length], new long[] {alpha.length}, offset);
            layer.forward(variables, null, 0, new float[elements()]);
            layers.add(layer);
            offset += alpha.length;
        }
        return layers;
    }

    private static RoundingRegularizer regularizer(String weights) {
        float[] layerWeights = weights.equals("w") ? ORACLE.floats("layer_weights") : new float[] {1, 1, 1};
        return new RoundingRegularizer(
                layerWeights, FACTOR, RoundingPhases.of(RoundingPhasesConfig.defaults(), TOTAL_STEPS));
    }
}
