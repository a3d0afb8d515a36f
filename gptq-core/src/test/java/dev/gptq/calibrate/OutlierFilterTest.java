package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.testing.Models;
import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** The z-score filter of activation histograms (MCT outlier_filter). */
class OutlierFilterTest {
    private static final HistogramView UNEVEN =
            new HistogramView(new double[] {-4, 0, 1, 2, 10, 11}, new double[] {5, 20, 70, 10, 1});
    private static final int BITS = 8;
    private static final float OUTLIER = 300;
    private static final int VALUES = 20_000;
    /** The outlier makes the deviation 2.3: it is 128 of them away, the bulk ends at two. */
    private static final double Z_THRESHOLD = 8;

    private static final float[] BULK = Models.random(3, VALUES).floats();

    /** Mean 80/106 and deviation 1.5 of left edges: those are 3.2, 0.5, 0.2, 0.8 and 6.3 deviations away. */
    @ParameterizedTest(name = "z {0}")
    @CsvSource({
        "0.4, '0,0,70,0,0'",
        "0.7, '0,20,70,0,0'",
        "1.5, '0,20,70,10,0'",
        "4, '5,20,70,10,0'",
        "7, '5,20,70,10,1'"
    })
    void binsFurtherFromTheMeanThanTheThresholdAreEmptied(double zThreshold, String kept) {
        double[] expected =
                Arrays.stream(kept.split(",")).mapToDouble(Double::parseDouble).toArray();

        HistogramView filtered = UNEVEN.withoutOutliers(zThreshold);

        assertThat(filtered.counts()).containsExactly(expected);
        assertThat(filtered.edges()).containsExactly(UNEVEN.edges());
    }

    @Test
    void valuesThatAreAllTheSameStay() {
        HistogramView same = new HistogramView(new double[] {3, 4}, new double[] {7});

        assertThat(same.withoutOutliers(1).counts()).containsExactly(7);
    }

    @ParameterizedTest
    @CsvSource({
        "POWER_OF_TWO, MSE",
        "SYMMETRIC, MSE",
        "UNIFORM, MSE",
        "POWER_OF_TWO, NO_CLIPPING",
        "SYMMETRIC, NO_CLIPPING",
        "UNIFORM, NO_CLIPPING"
    })
    void withoutItsOutlierTheBulkKeepsMorePrecision(QuantizationMethod method, ThresholdMethod thresholds) {
        double all = bulkError(method, thresholds, Double.POSITIVE_INFINITY);
        double filtered = bulkError(method, thresholds, Z_THRESHOLD);

        assertThat(filtered).isLessThan(all / 100);
    }

    @Test
    void negativeOutliersDoNotMakeAGridSigned() {
        float[] positive = new float[VALUES + 1];
        for (int i = 0; i < VALUES; i++) {
            positive[i] = Math.abs(BULK[i]);
        }
        positive[VALUES] = -OUTLIER;
        HistogramView histogram = histogram(positive);

        assertThat(choose(histogram, QuantizationMethod.POWER_OF_TWO, ThresholdMethod.MSE, Double.POSITIVE_INFINITY)
                        .signed())
                .isTrue();
        assertThat(choose(histogram, QuantizationMethod.POWER_OF_TWO, ThresholdMethod.MSE, Z_THRESHOLD)
                        .signed())
                .isFalse();
    }

    @Test
    void aThresholdThatLeavesNothingOutChangesNothing() {
        HistogramView histogram = histogramWithOutlier();
        ActivationQuantizer all =
                choose(histogram, QuantizationMethod.SYMMETRIC, ThresholdMethod.MSE, Double.POSITIVE_INFINITY);

        assertThat(choose(histogram, QuantizationMethod.SYMMETRIC, ThresholdMethod.MSE, 1000))
                .isEqualTo(all);
        assertThat(all.threshold()).isCloseTo(OUTLIER, Offset.offset(OUTLIER * 0.1));
    }

    private static double bulkError(QuantizationMethod method, ThresholdMethod thresholds, double zThreshold) {
        QuantizationGrid grid =
                choose(histogramWithOutlier(), method, thresholds, zThreshold).grid();
        long[] shape = {VALUES};
        float[] quantized = grid.dequantize(grid.quantize(BULK, shape), shape);
        double sum = 0;
        for (int i = 0; i < VALUES; i++) {
            sum += Math.pow((double) quantized[i] - BULK[i], 2);
        }
        return sum / VALUES;
    }

    private static HistogramView histogramWithOutlier() {
        float[] values = Arrays.copyOf(BULK, VALUES + 1);
        values[VALUES] = OUTLIER;
        return histogram(values);
    }

    private static HistogramView histogram(float[] values) {
        float[] sorted = values.clone();
        Arrays.sort(sorted);
        return Histogram.of(values, sorted[0], sorted[sorted.length - 1]).view();
    }

    private static ActivationQuantizer choose(
            HistogramView histogram, QuantizationMethod method, ThresholdMethod thresholds, double zThreshold) {
        return ActivationThresholds.choose(
                "t", histogram, new QuantizationConfig.Activations(BITS, method, null, thresholds, 2, zThreshold));
    }
}
