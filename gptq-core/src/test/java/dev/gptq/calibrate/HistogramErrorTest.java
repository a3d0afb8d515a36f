package dev.gptq.calibrate;

import dev.gptq.config.ThresholdMethod;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class HistogramErrorTest {
    private static final double ROUNDING = 1e-9;

    /** Summing by level gives what summing bin by bin gives, for any place, scale, shift and grid. */
    @Property(tries = 300)
    void theErrorIsThatOfAllBinsOneByOne(
            @ForAll long seed, @ForAll @IntRange(min = 2, max = 8) int bits, @ForAll boolean signed) {
        Random random = new Random(seed);
        float centre = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(4)));
        float spread = (float) Math.pow(10, random.nextInt(6) - 3);
        float[] values = new float[2000];
        for (int i = 0; i < values.length; i++) {
            values[i] = centre + spread * (float) random.nextGaussian();
        }
        HistogramView view = histogram(values).view();
        HistogramView histogram = random.nextBoolean() ? view : view.shifted(random.nextGaussian());
        QuantizationError quick = HistogramError.of(histogram, bits, signed);
        HistogramView.Points points = histogram.leftEdges();
        QuantizationError exact = new DistanceError(points.values(), points.counts(), 2, bits, signed);

        if (histogram.counts().length > 1 << bits) {
            assertThat(quick).isNotNull();
            double min = histogram.min() * (0.5 + random.nextDouble());
            double max = histogram.max() * (0.5 + random.nextDouble());
            double threshold = histogram.maxAbsolute() * (0.5 + random.nextDouble());
            assertThat(quick.uniform(Math.min(min, max), Math.max(min, max)))
                    .isCloseTo(
                            exact.uniform(Math.min(min, max), Math.max(min, max)),
                            within(ROUNDING * exact.uniform(Math.min(min, max), Math.max(min, max))));
            assertThat(quick.symmetric(threshold))
                    .isCloseTo(exact.symmetric(threshold), within(ROUNDING * exact.symmetric(threshold)));
        }
    }

    @Test
    void outliersThatWereTakenOutDoNotCount() {
        HistogramView filtered = histogram(gaussian(5000)).view().withoutOutliers(1.5);
        HistogramView.Points points = filtered.leftEdges();
        double expected = new DistanceError(points.values(), points.counts(), 2, 4, true).symmetric(1.2);

        assertThat(HistogramError.of(filtered, 4, true).symmetric(1.2))
                .isCloseTo(expected, within(ROUNDING * expected));
    }

    @Test
    void histogramsOfFractionsUnequalBinsAndMoreLevelsThanBinsAreSummedBinByBin() {
        double[] edges = {0, 1, 2, 3, 4, 5, 6, 7, 8};
        double[] counts = {1, 2, 3, 4, 5, 6, 7, 8};
        double[] uneven = edges.clone();
        uneven[4] = 4.5;
        double[] fractions = counts.clone();
        fractions[2] = 0.5;

        assertThat(HistogramError.of(new HistogramView(edges, counts), 2, false))
                .isNotNull();
        assertThat(HistogramError.of(new HistogramView(uneven, counts), 2, false))
                .isNull();
        assertThat(HistogramError.of(new HistogramView(edges, fractions), 2, false))
                .isNull();
        assertThat(HistogramError.of(new HistogramView(edges, counts), 3, false))
                .isNull();
        assertThat(QuantizationError.ofHistogram(new HistogramView(uneven, counts), ThresholdMethod.MSE, 2, 2, false)
                        .symmetric(8))
                .isPositive();
    }

    private static float[] gaussian(int count) {
        Random random = new Random(3);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static Histogram histogram(float[] values) {
        float[] sorted = values.clone();
        Arrays.sort(sorted);
        return Histogram.of(values, sorted[0], sorted[sorted.length - 1]);
    }
}
