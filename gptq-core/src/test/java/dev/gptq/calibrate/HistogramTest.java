package dev.gptq.calibrate;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class HistogramTest {
    @Test
    void constantTensorsFillOneBin() {
        for (float constant : new float[] {0f, -0f, 1e-30f, -3f, 1e30f, Float.MIN_VALUE}) {
            Histogram histogram = histogram(new float[] {constant, constant, constant});
            assertThat(histogram.counts()).containsExactly(3);
        }
    }

    @Test
    void valuesThatSpanAllOfFloat32StayWithinTheBudget() {
        Histogram histogram = histogram(new float[] {-Float.MAX_VALUE, 1e-20f, Float.MAX_VALUE});
        assertThat(histogram.counts().length).isBetween(2, Histogram.MAX_BINS);
        assertThat(histogram.total()).isEqualTo(3);
    }

    @Test
    void outliersBeyondTheZThresholdAreLeftOut() {
        HistogramView histogram = new HistogramView(new double[] {0, 1, 2, 100, 101}, new double[] {50, 50, 0, 1});
        assertThat(histogram.withoutOutliers(3).counts()).containsExactly(50, 50, 0, 0);
        assertThat(histogram.withoutOutliers(Double.POSITIVE_INFINITY).counts()).containsExactly(50, 50, 0, 1);
    }

    static Histogram histogram(float[] values) {
        float min = Float.POSITIVE_INFINITY;
        float max = Float.NEGATIVE_INFINITY;
        for (float value : values) {
            min = Math.min(min, value);
            max = Math.max(max, value);
        }
        return Histogram.of(values, min, max);
    }
}
