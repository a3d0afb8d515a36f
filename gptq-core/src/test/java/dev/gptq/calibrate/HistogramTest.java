package dev.gptq.calibrate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class HistogramTest {
    private static final int ROUNDS = 100;
    private static final int MCT_BINS = 2048;

    @Test
    void mergingGivesTheHistogramOfAllValuesInAnyOrderAndGrouping() {
        Random random = new Random(11);
        for (int round = 0; round < ROUNDS; round++) {
            float[] all = values(random, 500);
            Histogram whole = histogram(all);
            List<Histogram> parts = new ArrayList<>();
            for (int start = 0; start < all.length; ) {
                int end = Math.min(all.length, start + 1 + random.nextInt(120));
                parts.add(histogram(Arrays.copyOfRange(all, start, end)));
                start = end;
            }
            Collections.shuffle(parts, random);
            while (parts.size() > 1) {
                Histogram first = parts.remove(random.nextInt(parts.size()));
                Histogram second = parts.remove(random.nextInt(parts.size()));
                parts.add(first.merge(second));
            }
            assertThat(parts.get(0)).usingRecursiveComparison().isEqualTo(whole);
        }
    }

    @Test
    void everyValueIsCountedInTheBinThatHoldsIt() {
        Random random = new Random(12);
        for (int round = 0; round < ROUNDS / 10; round++) {
            float[] values = values(random, 300);
            Histogram histogram = histogram(values);
            double[] edges = histogram.view().edges();
            long[] counts = histogram.counts();
            for (int bin = 0; bin < counts.length; bin++) {
                double low = edges[bin];
                double high = edges[bin + 1];
                boolean last = bin == counts.length - 1;
                long expected = 0;
                for (float value : values) {
                    expected += value >= low && (value < high || last) ? 1 : 0;
                }
                assertThat(counts[bin]).isEqualTo(expected);
            }
        }
    }

    @Test
    void theResolutionIsFinerThanMctsBins() {
        Random random = new Random(13);
        for (int round = 0; round < ROUNDS; round++) {
            Histogram histogram = histogram(values(random, 300));
            assertThat(histogram.binWidth())
                    .isLessThanOrEqualTo(((double) histogram.max() - histogram.min()) / MCT_BINS);
            assertThat(histogram.counts().length).isLessThanOrEqualTo(Histogram.MAX_BINS);
        }
    }

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

    /** Values whose range grows along the array, some of them on powers of two. */
    private static float[] values(Random random, int size) {
        float[] values = new float[size];
        float shift = (float) random.nextGaussian();
        for (int i = 0; i < size; i++) {
            float spread = (float) Math.scalb(1.0, i * 8 / size - 4);
            values[i] = random.nextInt(10) == 0
                    ? Math.copySign((float) Math.scalb(1.0, random.nextInt(6) - 4), (float) random.nextGaussian())
                    : shift + spread * (float) random.nextGaussian();
        }
        return values;
    }
}
