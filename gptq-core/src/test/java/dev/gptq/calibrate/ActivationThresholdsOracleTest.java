package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.testing.Npz;
import java.util.EnumSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Activation thresholds from MCT's own histograms: MCT's choice, or at least as good by the measure they minimise. */
class ActivationThresholdsOracleTest {
    private static final Npz ORACLE = Npz.resource("/oracle/activation_thresholds.npz");
    private static final double ROUNDING = 1e-9;

    static Stream<String> cases() {
        return ORACLE.keys().stream()
                .filter(key -> key.endsWith("|threshold") || key.endsWith("|range_min"))
                .map(key -> key.substring(0, key.lastIndexOf('|')));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void activationThresholdsAreMctsOrBetter(String key) {
        String[] fields = key.split("\\|");
        int bits = Integer.parseInt(fields[1].substring(1));
        QuantizationMethod method = WeightThresholdsOracleTest.method(fields[2]);
        ThresholdMethod metric = WeightThresholdsOracleTest.metric(fields[3]);
        HistogramView histogram =
                new HistogramView(ORACLE.doubles(fields[0] + "|bins"), ORACLE.doubles(fields[0] + "|counts"));
        QuantizationConfig.Activations config =
                new QuantizationConfig.Activations(bits, method, null, metric, 2, Double.POSITIVE_INFINITY);
        ActivationQuantizer chosen = ActivationThresholds.choose(fields[0], histogram, config);
        boolean signed = ORACLE.scalar(fields[0] + "|signed") != 0;
        assertThat(chosen.signed()).isEqualTo(signed);
        QuantizationError error = QuantizationError.ofHistogram(
                histogram, metric == ThresholdMethod.NO_CLIPPING ? ThresholdMethod.MSE : metric, 2, bits, signed);
        boolean same;
        double ours;
        double theirs;
        if (method == QuantizationMethod.UNIFORM) {
            UniformRange mct = UniformRange.includingZero(
                    ORACLE.scalar(key + "|range_min"), ORACLE.scalar(key + "|range_max"), bits);
            same = WeightThresholdsOracleTest.isSame(chosen.rangeMin(), mct.min())
                    && WeightThresholdsOracleTest.isSame(chosen.rangeMax(), mct.max());
            ours = error.uniform(chosen.rangeMin(), chosen.rangeMax());
            theirs = error.uniform(ORACLE.scalar(key + "|range_min"), ORACLE.scalar(key + "|range_max"));
        } else {
            double threshold = ORACLE.scalar(key + "|threshold");
            same = WeightThresholdsOracleTest.isSame(chosen.threshold(), threshold);
            ours = error.symmetric(chosen.threshold());
            theirs = error.symmetric(threshold);
        }
        assertThat(same || ours <= theirs * (1 + ROUNDING))
                .as("error %s, MCT's %s; chosen %s", ours, theirs, chosen)
                .isTrue();
    }

    @Test
    void aKnownRangeIsCoveredWithoutClipping() {
        for (QuantizationMethod method : QuantizationMethod.values()) {
            QuantizationConfig.Activations config = new QuantizationConfig.Activations(
                    8, method, null, ThresholdMethod.MSE, 2, Double.POSITIVE_INFINITY);
            ActivationQuantizer quantizer = ActivationThresholds.ofKnownRange("p", 0, 1, config);
            assertThat(quantizer.signed()).isFalse();
            if (method == QuantizationMethod.UNIFORM) {
                assertThat(new double[] {quantizer.rangeMin(), quantizer.rangeMax()})
                        .containsExactly(0, 1);
            } else {
                assertThat(quantizer.threshold()).isEqualTo(1);
            }
        }
    }

    @Test
    void aConstantTensorGetsAValidGridWhateverTheMeasure() {
        for (float constant : new float[] {0f, 0.7f, -0.7f}) {
            Histogram histogram = Histogram.of(new float[] {constant, constant}, constant, constant);
            for (QuantizationMethod method : QuantizationMethod.values()) {
                for (ThresholdMethod metric : EnumSet.complementOf(EnumSet.of(ThresholdMethod.HMSE))) {
                    QuantizationConfig.Activations config =
                            new QuantizationConfig.Activations(8, method, null, metric, 2, Double.POSITIVE_INFINITY);
                    QuantizationGrid grid = ActivationThresholds.choose("c", histogram.view(), config)
                            .grid();
                    float[] values = {constant};
                    float rounded = grid.dequantize(grid.quantize(values, new long[] {1}), new long[] {1})[0];
                    assertThat(grid.scale()[0]).isPositive().isFinite();
                    assertThat(Math.abs(rounded - constant))
                            .as("%s %s of %s", method, metric, constant)
                            .isLessThan(0.01f);
                }
            }
        }
    }
}
