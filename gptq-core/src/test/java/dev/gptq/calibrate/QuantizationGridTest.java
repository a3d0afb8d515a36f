package dev.gptq.calibrate;

import dev.gptq.config.QuantizationMethod;
import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class QuantizationGridTest {
    private static final int ROUNDS = 200;

    @Test
    void symmetricSignedGridHasStepThresholdOverHalfTheLevels() {
        QuantizationGrid grid = new ActivationQuantizer("x", QuantizationMethod.SYMMETRIC, 4, true, 2.0, 0, 0).grid();
        assertThat(grid.scale()).containsExactly(2.0f / 8);
        assertThat(grid.zeroPoint()).containsExactly(0);
        assertThat(new int[] {grid.minimum(), grid.maximum()}).containsExactly(-8, 7);
    }

    @Test
    void unsignedGridSpendsAllLevelsOnPositiveValues() {
        QuantizationGrid grid =
                new ActivationQuantizer("x", QuantizationMethod.POWER_OF_TWO, 8, false, 4.0, 0, 0).grid();
        assertThat(grid.scale()).containsExactly(4.0f / 256);
        assertThat(new int[] {grid.minimum(), grid.maximum()}).containsExactly(0, 255);
    }

    @Test
    void uniformRangeAwayFromZeroIsStretchedToZero() {
        QuantizationGrid positive =
                new ActivationQuantizer("x", QuantizationMethod.UNIFORM, 2, true, 0, 1.5, 3.0).grid();
        QuantizationGrid negative =
                new ActivationQuantizer("x", QuantizationMethod.UNIFORM, 2, true, 0, -3.0, -1.5).grid();
        assertThat(positive.scale()).containsExactly(1f);
        assertThat(positive.zeroPoint()).containsExactly(0);
        assertThat(negative.scale()).containsExactly(1f);
        assertThat(negative.zeroPoint()).containsExactly(3);
    }

    @Test
    void everyGridHoldsZeroExactly() {
        Random random = new Random(1);
        for (int round = 0; round < ROUNDS; round++) {
            QuantizationGrid grid = randomGrid(random, -1, 1);
            int[] zero = grid.quantize(new float[] {0f}, new long[] {1});
            assertThat(zero).containsExactly(grid.zeroPoint()[0]);
            assertThat(grid.dequantize(zero, new long[] {1})).containsExactly(0f);
        }
    }

    @Test
    void aValueOnTheGridStaysWhereItIs() {
        Random random = new Random(2);
        for (int round = 0; round < ROUNDS; round++) {
            QuantizationGrid grid = randomGrid(random, 1, 3);
            long[] shape = {4, 3, 5};
            int[] integers = grid.quantize(gaussian(random, 60), shape);
            assertThat(grid.quantize(grid.dequantize(integers, shape), shape)).containsExactly(integers);
        }
    }

    @Test
    void theErrorInsideTheRangeIsAtMostHalfAStep() {
        Random random = new Random(3);
        for (int round = 0; round < ROUNDS; round++) {
            QuantizationGrid grid = randomGrid(random, 0, 6);
            long[] shape = {6, 10};
            float[] values = gaussian(random, 60);
            float[] rounded = grid.dequantize(grid.quantize(values, shape), shape);
            for (int i = 0; i < values.length; i++) {
                int channel = i / 10;
                double step = grid.scale()[channel];
                double low = step * (grid.minimum() - grid.zeroPoint()[channel]);
                double high = step * (grid.maximum() - grid.zeroPoint()[channel]);
                double clipped = Math.max(low, Math.min(high, values[i]));
                assertThat(Math.abs(rounded[i] - clipped)).isLessThanOrEqualTo(step * 0.500001);
            }
        }
    }

    @Test
    void anAllZeroChannelHasAValidGrid() {
        double[] zero = {0};
        for (QuantizationMethod method : QuantizationMethod.values()) {
            QuantizationGrid grid = new WeightQuantizer(null, method, 4, 0, zero, zero, zero, null).grid();
            assertThat(grid.scale()[0]).as("scale of %s", method).isPositive();
            assertThat(grid.dequantize(grid.quantize(new float[] {0f}, new long[] {1, 1}), new long[] {1, 1}))
                    .containsExactly(0f);
        }
    }

    private static QuantizationGrid randomGrid(Random random, int channelAxis, int channels) {
        double[] low = new double[channels];
        double[] high = new double[channels];
        for (int channel = 0; channel < channels; channel++) {
            low[channel] = random.nextGaussian();
            high[channel] = low[channel] + 0.1 + 2 * random.nextDouble();
        }
        int bits = 2 + random.nextInt(7);
        QuantizationMethod[] methods = QuantizationMethod.values();
        QuantizationMethod method = methods[random.nextInt(methods.length)];
        double[] threshold = new double[channels];
        for (int channel = 0; channel < channels; channel++) {
            threshold[channel] = method == QuantizationMethod.POWER_OF_TWO
                    ? Math.scalb(1.0, random.nextInt(6) - 3)
                    : 0.05 + random.nextDouble();
        }
        return new WeightQuantizer(null, method, bits, channelAxis, threshold, low, high, null).grid();
    }

    private static float[] gaussian(Random random, int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
