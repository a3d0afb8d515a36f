package dev.gptq.calibrate;

import dev.gptq.config.QuantizationMethod;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class ActivationHistogramTest {
    /** 1,001 values from 0 to 10. */
    private static final float[] VALUES = new float[1001];

    static {
        for (int i = 0; i < VALUES.length; i++) {
            VALUES[i] = i / 100f;
        }
    }

    @Test
    void everyValueIsInOneOfFewBinsThatBeginBelowTheSmallest() {
        ActivationHistogram histogram =
                of(new ActivationQuantizer("x", QuantizationMethod.SYMMETRIC, 8, false, 8, 0, 0));

        assertThat(histogram.counts().length).isBetween(5, 10);
        assertThat(Arrays.stream(histogram.counts()).sum()).isEqualTo(VALUES.length);
        assertThat(histogram.min()).isZero();
        assertThat(histogram.max()).isEqualTo(10);
        assertThat(histogram.firstEdge()).isLessThanOrEqualTo(0);
        for (int bin = 0; bin < histogram.counts().length; bin++) {
            double low = histogram.firstEdge() + bin * histogram.binWidth();
            long inside = 0;
            for (float value : VALUES) {
                inside += value >= low && value < low + histogram.binWidth() ? 1 : 0;
            }
            assertThat(histogram.counts()[bin]).isEqualTo(inside);
        }
    }

    @Test
    void theRangeIsThatOfTheGridAndWhatIsOutsideIsClipped() {
        ActivationHistogram unsigned =
                of(new ActivationQuantizer("x", QuantizationMethod.SYMMETRIC, 8, false, 8, 0, 0));
        ActivationHistogram signed = of(new ActivationQuantizer("x", QuantizationMethod.SYMMETRIC, 8, true, 4, 0, 0));

        assertThat(unsigned.rangeMin()).isZero();
        assertThat(unsigned.rangeMax()).isCloseTo(8 * 255 / 256.0, within(1e-6));
        assertThat(unsigned.clipped()).isCloseTo(0.2, within(0.02));
        assertThat(signed.rangeMin()).isEqualTo(-4);
        assertThat(signed.rangeMax()).isCloseTo(4 * 127 / 128.0, within(1e-6));
    }

    @Test
    void tensorsThatWereNotObservedAreLeftOut() {
        QuantizationPlan plan = new QuantizationPlan(
                List.of(), List.of(new ActivationQuantizer("other", QuantizationMethod.SYMMETRIC, 8, true, 4, 0, 0)));

        assertThat(ActivationHistogram.of(statistics(), plan, 10)).isEmpty();
    }

    private static ActivationHistogram of(ActivationQuantizer quantizer) {
        return ActivationHistogram.of(statistics(), new QuantizationPlan(List.of(), List.of(quantizer)), 10)
                .get(0);
    }

    private static BlockStatistics statistics() {
        return new BlockStatistics(
                1, Map.of("x", new TensorStatistics(HistogramTest.histogram(VALUES), null)), Map.of());
    }
}
