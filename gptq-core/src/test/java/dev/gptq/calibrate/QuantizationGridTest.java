package dev.gptq.calibrate;

import dev.gptq.config.QuantizationMethod;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class QuantizationGridTest {
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
    void anAllZeroChannelHasAValidGrid() {
        double[] zero = {0};
        for (QuantizationMethod method : QuantizationMethod.values()) {
            QuantizationGrid grid = new WeightQuantizer(null, method, 4, 0, zero, zero, zero, null).grid();
            assertThat(grid.scale()[0]).as("scale of %s", method).isPositive();
            assertThat(grid.dequantize(grid.quantize(new float[] {0f}, new long[] {1, 1}), new long[] {1, 1}))
                    .containsExactly(0f);
        }
    }
}
