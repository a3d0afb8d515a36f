package dev.gptq.train;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.engine.Engines;
import dev.gptq.graph.ComparePoint;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;
import net.jqwik.api.constraints.Size;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** Quantizers of training against the grids they have to end on. */
class QuantizerPropertyTest {
    private static final ComparePoint POINT = new ComparePoint("layer", "out", "w", "b", 0);
    private static final int SIZE = 16;

    @Property
    void theEngineQuantizesActivationsAsTheGridDoes(
            @ForAll QuantizationMethod method,
            @ForAll @IntRange(min = 2, max = 8) int bits,
            @ForAll boolean signed,
            @ForAll @FloatRange(min = 0.01f, max = 40) float first,
            @ForAll @FloatRange(min = 0.01f, max = 40) float second,
            @ForAll @Size(SIZE) List<@Scale(5) @FloatRange(min = -60, max = 60) Float> x) {
        double threshold = method == QuantizationMethod.POWER_OF_TWO ? powerOfTwo(first) : first;
        ActivationQuantizer quantizer =
                new ActivationQuantizer("x", method, bits, signed, threshold, signed ? -first : 0, second);
        float[] values = array(x);
        QuantizationGrid grid = quantizer.grid();
        float[] expected = grid.dequantize(grid.quantize(values, new long[] {SIZE}), new long[] {SIZE});
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            float[] actual = new ActivationFakeQuantizer(quantizer)
                    .quantize(scope.create(values))
                    .toFloatArray();
            for (int i = 0; i < SIZE; i++) {
                // Compared as numbers: the engine may answer with a negative zero.
                assertThat(actual[i] == expected[i])
                        .as("%s is %s instead of %s", values[i], actual[i], expected[i])
                        .isTrue();
            }
        }
    }

    @Property
    void softRoundingStartsAtTheWeightAndEndsOnANeighbour(
            @ForAll QuantizationMethod method,
            @ForAll @IntRange(min = 2, max = 8) int bits,
            @ForAll @FloatRange(min = 0.1f, max = 4) float limit,
            @ForAll @Size(SIZE) List<@Scale(5) @FloatRange(min = -1, max = 1) Float> relative,
            @ForAll @Size(SIZE) List<@Scale(5) @FloatRange(min = -20, max = 20) Float> moved) {
        WeightQuantizer weight = weight(method, bits, limit);
        float[] kernel = array(relative);
        for (int i = 0; i < SIZE; i++) {
            kernel[i] *= limit;
        }
        SoftRoundingQuantizer quantizer = new SoftRoundingQuantizer(weight, kernel, new long[] {SIZE}, 0);
        QuantizationGrid grid = weight.grid();
        float step = grid.scale()[0];
        float[] alpha = new float[SIZE];
        float[] soft = new float[SIZE];
        quantizer.initialize(alpha);
        quantizer.forward(alpha, null, 0, soft);
        int[] integers = quantizer.integers(array(moved));
        for (int i = 0; i < SIZE; i++) {
            double low = step * (double) (grid.minimum() - grid.zeroPoint()[0]);
            double high = step * (double) (grid.maximum() - grid.zeroPoint()[0]);
            double clipped = Math.max(low, Math.min(high, kernel[i]));
            // MCT takes the fraction before the uniform range is moved to hold zero: it may be another step's.
            double tolerance = method == QuantizationMethod.UNIFORM ? 1.001 * step : 1e-4 * step;
            assertThat((double) soft[i]).isCloseTo(clipped, within(tolerance));
            assertThat(integers[i]).isBetween(grid.minimum(), grid.maximum());
            double rounded = step * (double) (integers[i] - grid.zeroPoint()[0]);
            assertThat(Math.abs(rounded - clipped)).isLessThanOrEqualTo(1.001 * step);
        }
    }

    @Property
    void straightThroughRoundingMovesByAtMostItsLimit(
            @ForAll boolean powerOfTwo,
            @ForAll @IntRange(min = 2, max = 8) int bits,
            @ForAll @IntRange(min = 1, max = 3) int steps,
            @ForAll @FloatRange(min = 0.1f, max = 4) float limit,
            @ForAll @Size(SIZE) List<@Scale(5) @FloatRange(min = -6, max = 6) Float> values,
            @ForAll @Size(SIZE) List<@Scale(5) @FloatRange(min = -9, max = 9) Float> moved) {
        QuantizationMethod method = powerOfTwo ? QuantizationMethod.POWER_OF_TWO : QuantizationMethod.SYMMETRIC;
        WeightQuantizer weight = weight(method, bits, limit);
        RoundingQuantizer quantizer = new SteRoundingQuantizer(weight, array(values), new long[] {SIZE}, 0, steps);
        int[] nearest = weight.grid().quantize(array(values), new long[] {SIZE});
        assertThat(quantizer.integers(new float[SIZE])).isEqualTo(nearest);
        int[] integers = quantizer.integers(array(moved));
        for (int i = 0; i < SIZE; i++) {
            assertThat(integers[i])
                    .isBetween(weight.grid().minimum(), weight.grid().maximum());
            assertThat(Math.abs(integers[i] - nearest[i])).isLessThanOrEqualTo(steps);
        }
    }

    private static WeightQuantizer weight(QuantizationMethod method, int bits, float limit) {
        double threshold = method == QuantizationMethod.POWER_OF_TWO ? powerOfTwo(limit) : limit;
        double[] low = {-0.7 * limit};
        double[] high = {limit};
        return new WeightQuantizer(POINT, method, bits, -1, new double[] {threshold}, low, high, null);
    }

    private static double powerOfTwo(float value) {
        return Math.scalb(1.0, Math.getExponent(value));
    }

    private static float[] array(List<Float> values) {
        float[] array = new float[values.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = values.get(i);
        }
        return array;
    }
}
