package dev.gptq.train;

import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoint;
import dev.gptq.testing.Npz;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class RoundingQuantizerTest {
    private static final Npz ORACLE = Npz.resource("/oracle/quantizers.npz");
    private static final Map<String, QuantizationMethod> METHODS = Map.of(
            "pot", QuantizationMethod.POWER_OF_TWO,
            "sym", QuantizationMethod.SYMMETRIC,
            "uni", QuantizationMethod.UNIFORM);
    private static final ComparePoint POINT = new ComparePoint("layer", "out", "w", "b", 0);

    static Stream<String> softCases() {
        return ORACLE.keys().stream().filter(key -> key.endsWith("|aux0")).map(key -> key.replace("aux0", ""));
    }

    static Stream<String> steCases() {
        return ORACLE.keys().stream().filter(key -> key.endsWith("|ste_q1")).map(key -> key.replace("ste_q1", ""));
    }

    @ParameterizedTest
    @MethodSource("softCases")
    void softRoundingStartsWhereMctStarts(String name) {
        SoftRoundingQuantizer quantizer = soft(name);
        float[] alpha = new float[quantizer.size];
        float[] kernel = new float[quantizer.size];
        quantizer.initialize(alpha);
        quantizer.forward(alpha, null, 0, kernel);
        // The fraction of w / step is known to an ulp of w / step only, at most 128.
        assertClose(quantizer.target(), ORACLE.floats(name + "target0"), 2e-5);
        assertClose(kernel, ORACLE.floats(name + "q0_train"), 1e-5 * largest(kernel));
    }

    @ParameterizedTest
    @MethodSource("softCases")
    void softRoundingComputesMctsValuesAndGradient(String name) {
        SoftRoundingQuantizer quantizer = soft(name);
        float[] alpha = ORACLE.floats(name + "aux1");
        float[] kernel = new float[quantizer.size];
        float[] gradient = new float[quantizer.size];
        quantizer.forward(alpha, null, 0, kernel);
        quantizer.backward(ORACLE.floats(name + "upstream"), null, 0, gradient, null);
        assertClose(quantizer.target(), ORACLE.floats(name + "target1"), 1e-6);
        assertClose(kernel, ORACLE.floats(name + "q1_train"), 1e-5 * largest(kernel));
        float[] expected = ORACLE.floats(name + "daux1");
        assertClose(gradient, expected, 1e-5 * largest(expected));
    }

    @ParameterizedTest
    @MethodSource("softCases")
    void hardRoundingChoosesMctsIntegers(String name) {
        SoftRoundingQuantizer quantizer = soft(name);
        for (String run : new String[] {"0", "1"}) {
            int[] integers = quantizer.integers(ORACLE.floats(name + "aux" + run));
            float[] kernel = quantizer.grid.dequantize(integers, ORACLE.shape(name + "aux0"));
            assertClose(kernel, ORACLE.floats(name + "q" + run + "_eval"), 1e-5 * largest(kernel));
        }
    }

    @ParameterizedTest
    @MethodSource("steCases")
    void straightThroughRoundingComputesMctsValues(String name) {
        RoundingQuantizer quantizer = new SteRoundingQuantizer(weight(name), kernel(name), shape(name), 0, 1);
        float[] nearest = new float[quantizer.size];
        quantizer.forward(new float[quantizer.size], null, 0, nearest);
        assertClose(nearest, ORACLE.floats(name + "ste_q0"), 1e-6 * largest(nearest));

        // MCT's variable has one value per channel; here every weight of the channel gets it.
        float[] channels = ORACLE.floats(name + "ste_aux1");
        float[] variables = new float[quantizer.size];
        for (int i = 0; i < variables.length; i++) {
            variables[i] = channels[i / (variables.length / channels.length)];
        }
        float[] moved = new float[quantizer.size];
        quantizer.forward(variables, null, 0, moved);
        assertClose(moved, ORACLE.floats(name + "ste_q1"), 1e-6 * largest(moved));
    }

    @ParameterizedTest
    @MethodSource("steCases")
    void straightThroughGradientsOfAChannelSumToMcts(String name) {
        RoundingQuantizer quantizer = new SteRoundingQuantizer(weight(name), kernel(name), shape(name), 0, 1);
        float[] upstream = ORACLE.floats(name + "upstream");
        float[] gradient = new float[quantizer.size];
        quantizer.backward(upstream, null, 0, gradient, null);
        float[] expected = ORACLE.floats(name + "ste_daux1");
        for (int c = 0; c < expected.length; c++) {
            double sum = 0;
            for (int i = 0; i < quantizer.size / expected.length; i++) {
                sum += gradient[c * (quantizer.size / expected.length) + i];
            }
            assertThat(sum).isCloseTo(expected[c], within(1e-4));
        }
    }

    /** In MCT's torch version one variable per channel moves all of the channel's weights. */
    @Test
    void straightThroughRoundingMovesEachWeightByItself() {
        double[] threshold = {1};
        WeightQuantizer weight =
                new WeightQuantizer(POINT, QuantizationMethod.SYMMETRIC, 4, 0, threshold, null, null, null);
        float step = weight.grid().scale()[0];
        float[] kernel = {0, step, 2 * step};
        RoundingQuantizer quantizer = new SteRoundingQuantizer(weight, kernel, new long[] {1, 3}, 0, 1);
        assertThat(quantizer.integers(new float[] {step, 0, -step})).containsExactly(1, 1, 1);
    }

    @Test
    void aWeightOnTheGridStartsOnTheBorderAndStillMoves() {
        double[] threshold = {0.8};
        WeightQuantizer weight =
                new WeightQuantizer(POINT, QuantizationMethod.SYMMETRIC, 4, -1, threshold, null, null, null);
        float step = weight.grid().scale()[0];
        SoftRoundingQuantizer quantizer =
                new SoftRoundingQuantizer(weight, new float[] {0, 3 * step, -8 * step, 5}, new long[] {4}, 0);
        float[] alpha = new float[4];
        quantizer.initialize(alpha);
        quantizer.forward(alpha, null, 0, new float[4]);
        assertThat(quantizer.target()).containsOnly(0f);
        // 1.2 * s * (1 - s) at s = 1 / 12
        for (float slope : quantizer.slope()) {
            assertThat(slope).isCloseTo(1.2f * 11 / 144, within(1e-6f));
        }
    }

    @Test
    void channelsMayRunAlongAnyAxis() {
        double[] thresholds = {1, 2, 4};
        WeightQuantizer weight =
                new WeightQuantizer(POINT, QuantizationMethod.SYMMETRIC, 4, 1, thresholds, null, null, null);
        float[] kernel = new float[2 * 3 * 2];
        for (int i = 0; i < kernel.length; i++) {
            kernel[i] = 0.5f;
        }
        RoundingQuantizer quantizer = new SteRoundingQuantizer(weight, kernel, new long[] {2, 3, 2}, 0, 1);
        assertThat(quantizer.integers(new float[12])).containsExactly(4, 4, 2, 2, 1, 1, 4, 4, 2, 2, 1, 1);
    }

    @Test
    void aLearnedScaleStretchesTheKernelAndReceivesItsGradient() {
        double[] threshold = {1, 2};
        WeightQuantizer weight =
                new WeightQuantizer(POINT, QuantizationMethod.SYMMETRIC, 3, 0, threshold, null, null, null);
        float[] kernel = {0.3f, -0.6f, 0.9f, -1.4f};
        SoftRoundingQuantizer quantizer = new SoftRoundingQuantizer(weight, kernel, new long[] {2, 2}, 0);
        float[] alpha = new float[4];
        quantizer.initialize(alpha);
        float[] plain = new float[4];
        quantizer.forward(alpha, null, 0, plain);
        float[] scales = {1.5f, -1};
        float[] stretched = new float[4];
        quantizer.forward(alpha, scales, 0, stretched);
        // A factor that is not positive counts as 2^-16.
        assertClose(
                stretched, new float[] {1.5f * plain[0], 1.5f * plain[1], plain[2] / 65536, plain[3] / 65536}, 1e-7);

        float[] scaleGradient = new float[2];
        float[] upstream = {2, -3, 5, 7};
        quantizer.backward(upstream, scales, 0, new float[4], scaleGradient);
        assertClose(scaleGradient, new float[] {2 * plain[0] - 3 * plain[1], 0}, 1e-6);
        assertThat(quantizer.grid(scales, 0).scale()[0]).isEqualTo(1.5f * 0.25f);
    }

    private static SoftRoundingQuantizer soft(String name) {
        return new SoftRoundingQuantizer(weight(name), kernel(name), shape(name), 0);
    }

    private static float[] kernel(String name) {
        return ORACLE.floats("w_" + name.substring(0, name.indexOf('|')));
    }

    private static long[] shape(String name) {
        return ORACLE.shape(name + "upstream");
    }

    private static WeightQuantizer weight(String name) {
        String[] fields = name.split("\\|");
        QuantizationMethod method = METHODS.get(fields[2]);
        boolean uniform = method == QuantizationMethod.UNIFORM;
        return new WeightQuantizer(
                POINT,
                method,
                Integer.parseInt(fields[1].substring(1)),
                fields[3].equals("pc") ? 0 : -1,
                uniform ? null : ORACLE.doubles(name + "threshold"),
                uniform ? ORACLE.doubles(name + "range_min") : null,
                uniform ? ORACLE.doubles(name + "range_max") : null,
                null);
    }

    private static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private static void assertClose(float[] actual, float[] expected, double tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i]).as("element %d", i).isCloseTo(expected[i], within(tolerance));
        }
    }
}
