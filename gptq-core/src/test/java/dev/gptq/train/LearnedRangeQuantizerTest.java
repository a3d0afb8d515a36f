package dev.gptq.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.graph.ComparePoint;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class LearnedRangeQuantizerTest {
    private static final int SIZE = 40;

    @ParameterizedTest(name = "[{0}, {1}], {2} bits")
    @CsvSource({"-0.9, 1.3, 2", "-0.9, 1.3, 4", "-1.7, 0.2, 8", "0.11, 1.2, 3", "-1.4, -0.2, 3", "-0.31, 0.42, 3"})
    void valueAndGradientsAreThoseOfAutogradOnMctsFormula(double min, double max, int bits) {
        float[] kernel = random(3);
        float[] alpha = random(4);
        float[] upstream = random(5);
        LearnedRangeQuantizer quantizer = quantizer(kernel, new double[] {min}, new double[] {max}, bits);
        float[] learned = new float[quantizer.learnedCount()];
        quantizer.initializeLearned(learned, 0);
        float[] values = new float[SIZE];
        float[] alphaGradient = new float[SIZE];
        float[] learnedGradient = new float[learned.length];
        quantizer.forward(alpha, learned, 0, values);
        quantizer.backward(upstream, learned, 0, alphaGradient, learnedGradient);

        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray a = Autograd.leaf(scope.create((float) min));
            NDArray b = Autograd.leaf(scope.create((float) max));
            NDArray variables = Autograd.leaf(scope.create(alpha));
            NDArray expected = mct(scope.create(kernel), variables, a, b, min, max, (1 << bits) - 1);
            Autograd.backward(expected, scope.create(upstream, new Shape(SIZE)), false);
            assertClose(values, expected.toFloatArray(), 1e-5);
            assertClose(alphaGradient, Autograd.gradient(variables).toFloatArray(), 1e-5);
            assertThat(learnedGradient[0]).isCloseTo(Autograd.gradient(a).getFloat(), within(2e-4f));
            assertThat(learnedGradient[1]).isCloseTo(Autograd.gradient(b).getFloat(), within(2e-4f));
        }
    }

    @Test
    void theGridAndIntegersFollowTheLearnedRangesChannelByChannel() {
        float[] kernel = {0.4f, -0.3f, 0.4f, -0.3f};
        LearnedRangeQuantizer quantizer = quantizer(kernel, new double[] {-1, -1}, new double[] {2, 2}, 2);
        float[] down = {-9, -9, -9, -9};
        float[] learned = {-1, -0.5f, 2, 0.25f};

        // Steps 1 and 0.25, zeros at 1 and 2: floors of 0.4 + 1, -0.3 + 1, 1.6 + 2, -1.2 + 2.
        assertThat(quantizer.integers(down, learned, 0)).containsExactly(1, 0, 3, 0);
        assertThat(quantizer.grid(learned, 0).scale()).containsExactly(1, 0.25f);
        assertThat(quantizer.grid(learned, 0).zeroPoint()).containsExactly(1, 2);
        float[] values = new float[4];
        quantizer.forward(down, learned, 0, values);
        assertThat(values).containsExactly(0, -1, 0.25f, -0.5f);
    }

    @Test
    void withTheRangesOfThePlanItIsTheQuantizerThatDoesNotLearn() {
        float[] kernel = random(6);
        float[] alpha = random(7);
        LearnedRangeQuantizer learning = quantizer(kernel, new double[] {-1.1}, new double[] {0.9}, 4);
        SoftRoundingQuantizer fixed = new SoftRoundingQuantizer(learning.quantizer, kernel, new long[] {SIZE}, 0);
        float[] learned = new float[2];
        learning.initializeLearned(learned, 0);
        float[] values = new float[SIZE];
        float[] expected = new float[SIZE];
        learning.forward(alpha, learned, 0, values);
        fixed.forward(alpha, null, 0, expected);

        assertClose(values, expected, 1e-6);
        assertThat(learning.integers(alpha, learned, 0)).isEqualTo(fixed.integers(alpha));
    }

    /** MCT's torch code for one range, straight-through where that is. */
    private static NDArray mct(NDArray w, NDArray alpha, NDArray a, NDArray b, double min, double max, int levels) {
        NDArray scale = b.sub(a).div(levels);
        NDArray low = a;
        NDArray high = b;
        if (min > 0) {
            low = a.mul(0);
        } else if (max < 0) {
            high = b.mul(0);
        } else {
            low = scale.mul(Autograd.detach(a.div(scale).round()));
            high = b.sub(a).add(low);
        }
        NDArray step = high.sub(low).div(levels);
        NDArray position = w.sub(low).div(step);
        NDArray floor = Autograd.detach(position.floor().sub(position)).add(position);
        NDArray sigmoid = alpha.neg().exp().add(1).pow(-1);
        NDArray integer = floor.add(sigmoid.mul(1.2f).sub(0.1f).clip(0, 1));
        NDArray clipped = Autograd.detach(integer.clip(0, levels).sub(integer)).add(integer);
        return clipped.mul(step).add(low);
    }

    private static LearnedRangeQuantizer quantizer(float[] kernel, double[] min, double[] max, int bits) {
        int axis = min.length > 1 ? 0 : -1;
        WeightQuantizer weight = new WeightQuantizer(
                new ComparePoint("layer", "out", "w", null, 0),
                QuantizationMethod.UNIFORM,
                bits,
                axis,
                null,
                min,
                max,
                null);
        long[] shape = axis < 0 ? new long[] {kernel.length} : new long[] {min.length, kernel.length / min.length};
        return new LearnedRangeQuantizer(weight, kernel, shape, 0, false);
    }

    private static float[] random(long seed) {
        float[] values = new float[SIZE];
        Random random = new Random(seed);
        for (int i = 0; i < SIZE; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static void assertClose(float[] actual, float[] expected, double tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        double largest = 1;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i])
                    .as("element %d of %s", i, Arrays.toString(expected))
                    .isCloseTo(expected[i], within(tolerance * largest));
        }
    }
}
