package dev.gptq.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.config.QFractionLinearAnnealingConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.testing.Npz;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class ActivationFakeQuantizerTest {
    private static final Npz ORACLE = Npz.resource("/oracle/annealing_activation.npz");
    private static final double TOLERANCE = 1e-6;

    @ParameterizedTest
    @ValueSource(strings = {"act_s8", "act_u8", "act_s4", "act_u2", "actuni_a", "actuni_b", "actuni_c", "actuni_d"})
    void valuesAndGradientsEqualMcts(String name) {
        ActivationFakeQuantizer quantizer = quantizer(name);
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            NDArray quantized = quantizer.quantize(scope.create(ORACLE.floats("gaq_x")));
            assertClose(quantized.toFloatArray(), ORACLE.floats(name));
            assertClose(gradient(scope, quantizer, 1), ORACLE.floats(name + "_grad"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"s8", "u8", "s4", "u2"})
    void theQuantizedFractionGrowsAsInMct(String name) {
        ActivationFakeQuantizer quantizer = quantizer("act_" + name);
        LinearAnnealing annealing = LinearAnnealing.quantizedFraction(QFractionLinearAnnealingConfig.defaults(), 10);
        float[] expected = ORACLE.floats("gaq_" + name + "_steps0to11");
        float[] x = ORACLE.floats("gaq_x");
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            for (int step = 0; step < 12; step++) {
                NDArray blended = quantizer.blend(scope.create(x), annealing.at(step));
                float[] row = Arrays.copyOfRange(expected, step * x.length, (step + 1) * x.length);
                assertClose(blended.toFloatArray(), row);
            }
        }
    }

    @Test
    void theGradientPassesAtEveryQuantizedFraction() {
        ActivationFakeQuantizer quantizer = quantizer("act_u2");
        float[] ones = new float[ORACLE.floats("gaq_x").length];
        Arrays.fill(ones, 1);
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            assertClose(gradient(scope, quantizer, 0.3), ones);
            assertClose(gradient(scope, quantizer, 0), ones);
        }
    }

    private static float[] gradient(NDManager scope, ActivationFakeQuantizer quantizer, double fraction) {
        try (Autograd.Recording recording = Autograd.record()) {
            NDArray x = Autograd.leaf(scope.create(ORACLE.floats("gaq_x")));
            // A factor keeps the leaf itself out of the sum, as a layer between would.
            Autograd.backward(quantizer.blend(x.mul(1), fraction).sum(), null, false);
            return Autograd.gradient(x).toFloatArray();
        }
    }

    private static ActivationFakeQuantizer quantizer(String name) {
        double[] parameters = ORACLE.doubles(name + "_params");
        if (name.startsWith("actuni")) {
            return new ActivationFakeQuantizer(new ActivationQuantizer(
                    "x", QuantizationMethod.UNIFORM, (int) parameters[2], false, 0, parameters[0], parameters[1]));
        }
        return new ActivationFakeQuantizer(new ActivationQuantizer(
                "x", QuantizationMethod.SYMMETRIC, (int) parameters[1], parameters[2] == 1, parameters[0], 0, 0));
    }

    private static void assertClose(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i]).as("element %d", i).isCloseTo(expected[i], within(TOLERANCE));
        }
    }
}
