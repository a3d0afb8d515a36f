package dev.gptq.calibrate;

import dev.gptq.config.QuantizationMethod;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.Scale;
import net.jqwik.api.constraints.Size;

import static org.assertj.core.api.Assertions.assertThat;

/** What holds for the grid of any weight or activation quantizer of 2 to 8 bits. */
class QuantizationGridPropertyTest {
    private static final long[] ONE = {1, 1};
    /** In float32 a quotient of up to 255 steps is rounded by less. */
    private static final double HALF = 0.5001;

    @Property
    void integersLieOnTheGridAndZeroIsExact(
            @ForAll("grids") QuantizationGrid grid, @ForAll @Scale(5) @FloatRange(min = -300, max = 300) float value) {
        int integer = quantize(grid, value);
        assertThat(integer).isBetween(grid.minimum(), grid.maximum());
        assertThat(real(grid, integer)).isEqualTo(grid.scale()[0] * (integer - grid.zeroPoint()[0]));
        assertThat(real(grid, quantize(grid, 0))).isZero();
    }

    @Property
    void quantizingTwiceChangesNothing(@ForAll("grids") QuantizationGrid grid) {
        for (int integer = grid.minimum(); integer <= grid.maximum(); integer++) {
            assertThat(quantize(grid, real(grid, integer))).isEqualTo(integer);
        }
    }

    @Property
    void aLargerValueIsNeverRoundedLower(
            @ForAll("grids") QuantizationGrid grid,
            @ForAll @Scale(5) @FloatRange(min = -300, max = 300) float first,
            @ForAll @Scale(5) @FloatRange(min = -300, max = 300) float second) {
        int low = quantize(grid, Math.min(first, second));
        int high = quantize(grid, Math.max(first, second));
        assertThat(low).isLessThanOrEqualTo(high);
    }

    @Property
    void theErrorInsideTheRangeIsAtMostHalfAStep(
            @ForAll("grids") QuantizationGrid grid, @ForAll @Scale(5) @FloatRange(min = 0, max = 1) float position) {
        double low = real(grid, grid.minimum());
        double high = real(grid, grid.maximum());
        float value = (float) (low + position * (high - low));
        double error = Math.abs((double) real(grid, quantize(grid, value)) - value);
        assertThat(error).isLessThanOrEqualTo(HALF * grid.scale()[0]);
    }

    @Property
    void valuesBeyondTheRangeGoToItsEnd(
            @ForAll("grids") QuantizationGrid grid, @ForAll @Scale(5) @FloatRange(min = 0, max = 1000) float beyond) {
        assertThat(quantize(grid, real(grid, grid.maximum()) + beyond)).isEqualTo(grid.maximum());
        assertThat(quantize(grid, real(grid, grid.minimum()) - beyond)).isEqualTo(grid.minimum());
    }

    @Property
    void eachChannelIsQuantizedByItsOwnGrid(
            @ForAll("weights") WeightQuantizer first,
            @ForAll @Size(3) List<@FloatRange(min = -100, max = 100) Float> values,
            @ForAll @Scale(5) @FloatRange(min = 0.1f, max = 10) float ratio) {
        QuantizationGrid one = first.grid();
        float[] scales = {one.scale()[0], one.scale()[0] * ratio};
        int[] zeroPoints = {one.zeroPoint()[0], one.zeroPoint()[0]};
        QuantizationGrid both = new QuantizationGrid(1, scales, zeroPoints, one.minimum(), one.maximum());
        QuantizationGrid other =
                new QuantizationGrid(-1, new float[] {scales[1]}, one.zeroPoint(), one.minimum(), one.maximum());
        // [2 rows, 2 channels, 1]
        float[] tensor = {values.get(0), values.get(1), values.get(2), values.get(0)};
        assertThat(both.quantize(tensor, new long[] {2, 2, 1}))
                .containsExactly(
                        quantize(one, values.get(0)),
                        quantize(other, values.get(1)),
                        quantize(one, values.get(2)),
                        quantize(other, values.get(0)));
    }

    @Provide
    Arbitrary<QuantizationGrid> grids() {
        return Arbitraries.oneOf(
                weights().map(WeightQuantizer::grid), activations().map(ActivationQuantizer::grid));
    }

    @Provide
    Arbitrary<WeightQuantizer> weights() {
        return Combinators.combine(methods(), bits(), thresholds(), ends(), ends())
                .as((method, bits, threshold, one, other) -> new WeightQuantizer(
                        null,
                        method,
                        bits,
                        -1,
                        new double[] {threshold(method, threshold)},
                        new double[] {Math.min(one, other)},
                        new double[] {Math.max(one, other)},
                        null));
    }

    private static Arbitrary<ActivationQuantizer> activations() {
        return Combinators.combine(methods(), bits(), Arbitraries.of(true, false), thresholds(), ends(), ends())
                .as((method, bits, signed, threshold, one, other) -> new ActivationQuantizer(
                        "x",
                        method,
                        bits,
                        signed,
                        threshold(method, threshold),
                        Math.min(one, other),
                        Math.max(one, other)));
    }

    private static Arbitrary<QuantizationMethod> methods() {
        return Arbitraries.of(QuantizationMethod.class);
    }

    private static Arbitrary<Integer> bits() {
        return Arbitraries.integers().between(2, 8);
    }

    private static Arbitrary<Double> thresholds() {
        return Arbitraries.doubles().between(0.001, 100).ofScale(3);
    }

    private static Arbitrary<Double> ends() {
        return Arbitraries.doubles().between(-50, 50).ofScale(3);
    }

    private static double threshold(QuantizationMethod method, double threshold) {
        return method == QuantizationMethod.POWER_OF_TWO ? Math.scalb(1.0, Math.getExponent(threshold)) : threshold;
    }

    private static int quantize(QuantizationGrid grid, float value) {
        return grid.quantize(new float[] {value}, ONE)[0];
    }

    private static float real(QuantizationGrid grid, int integer) {
        return grid.dequantize(new int[] {integer}, ONE)[0];
    }
}
