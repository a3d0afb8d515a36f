package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.Npz;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Thresholds against MCT's own: equal, or at least as good by the measure they minimise. */
class WeightThresholdsOracleTest {
    private static final Npz WEIGHTS = Npz.resource("/oracle/weight_thresholds.npz");
    private static final Npz MODEL = Npz.resource("/oracle/m1_info.npz");
    private static final double SAME_THRESHOLD = 1e-5;
    private static final double ROUNDING = 1e-9;

    private record Case(
            Npz archive, String kernel, String prefix, int bits, boolean perChannel, String method, String metric) {
        @Override
        public String toString() {
            return prefix + metric;
        }
    }

    static Stream<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (Npz archive : List.of(WEIGHTS, MODEL)) {
            for (String key : archive.keys()) {
                String[] fields = key.split("\\|");
                String last = fields[fields.length - 1];
                if (fields[0].equals("th") && (last.equals("threshold") || last.equals("range_min"))) {
                    cases.add(of(archive, "w_" + fields[1], fields, 2));
                } else if (fields.length == 5 && (last.equals("threshold") || last.equals("range_min"))) {
                    cases.add(of(archive, fields[0] + "|w", fields, 1));
                }
            }
        }
        return cases.stream();
    }

    private static Case of(Npz archive, String kernel, String[] fields, int bitsField) {
        String prefix = String.join("|", List.of(fields).subList(0, fields.length - 2)) + "|";
        int bits = Integer.parseInt(fields[bitsField].substring(1));
        boolean perChannel = !fields[bitsField + 1].equals("pt");
        return new Case(
                archive, kernel, prefix, bits, perChannel, fields[fields.length - 3], fields[fields.length - 2]);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void weightThresholdsAreMctsOrBetter(Case fixture) {
        Npz archive = fixture.archive;
        TensorData kernel = TensorData.ofFloats(archive.floats(fixture.kernel), archive.shape(fixture.kernel));
        int axis = fixture.perChannel ? 0 : -1;
        QuantizationMethod method = method(fixture.method);
        ThresholdMethod metric = metric(fixture.metric);
        QuantizationConfig.Weights config =
                new QuantizationConfig.Weights(fixture.bits, method, fixture.perChannel, metric, 2);
        WeightThresholds chosen = WeightThresholds.choose(kernel, axis, config, null);
        double[][] channels = WeightThresholds.channels(kernel, axis);
        for (int channel = 0; channel < channels.length; channel++) {
            QuantizationError error = QuantizationError.ofValues(
                    channels[channel],
                    null,
                    metric == ThresholdMethod.NO_CLIPPING ? ThresholdMethod.MSE : metric,
                    2,
                    fixture.bits);
            String field = fixture.prefix + fixture.metric + "|";
            boolean same;
            double ours;
            double theirs;
            if (method == QuantizationMethod.UNIFORM) {
                double min = archive.doubles(field + "range_min")[channel];
                double max = archive.doubles(field + "range_max")[channel];
                same = isSame(chosen.ranges().min()[channel], min)
                        && isSame(chosen.ranges().max()[channel], max);
                ours = error.uniform(
                        chosen.ranges().min()[channel], chosen.ranges().max()[channel]);
                theirs = error.uniform(min, max);
            } else {
                double threshold = archive.doubles(field + "threshold")[channel];
                same = isSame(chosen.threshold()[channel], threshold);
                ours = error.symmetric(chosen.threshold()[channel]);
                theirs = error.symmetric(threshold);
            }
            assertThat(same || ours <= theirs * (1 + ROUNDING))
                    .as("channel %d: error %s, MCT's %s", channel, ours, theirs)
                    .isTrue();
        }
    }

    @Test
    void anAllZeroChannelGetsAValidGridWhateverTheMeasure() {
        TensorData kernel = TensorData.ofFloats(new float[] {0, 0, 0, 0.5f, -1, 0.25f}, 2, 3);
        for (QuantizationMethod method : QuantizationMethod.values()) {
            for (ThresholdMethod metric : ThresholdMethod.values()) {
                float[] hessian = metric == ThresholdMethod.HMSE ? new float[] {1, 2, 3, 4, 5, 6} : null;
                WeightThresholds chosen = WeightThresholds.choose(
                        kernel, 0, new QuantizationConfig.Weights(4, method, true, metric, 2), hessian);
                boolean uniform = method == QuantizationMethod.UNIFORM;
                QuantizationGrid grid = new WeightQuantizer(
                                null,
                                method,
                                4,
                                0,
                                chosen.threshold(),
                                uniform ? chosen.ranges().min() : null,
                                uniform ? chosen.ranges().max() : null,
                                null)
                        .grid();
                assertThat(grid.scale()).as("%s %s", method, metric).hasSize(2);
                for (float scale : grid.scale()) {
                    assertThat(scale).as("%s %s", method, metric).isPositive().isFinite();
                }
            }
        }
    }

    static boolean isSame(double ours, double theirs) {
        return Math.abs(ours - theirs) <= SAME_THRESHOLD * Math.max(Math.abs(theirs), QuantizationGrid.MIN_THRESHOLD);
    }

    static QuantizationMethod method(String abbreviation) {
        return switch (abbreviation) {
            case "pot" -> QuantizationMethod.POWER_OF_TWO;
            case "sym" -> QuantizationMethod.SYMMETRIC;
            case "uni" -> QuantizationMethod.UNIFORM;
            default -> throw new IllegalArgumentException(abbreviation);
        };
    }

    static ThresholdMethod metric(String name) {
        return name.equals("NOCLIPPING") ? ThresholdMethod.NO_CLIPPING : ThresholdMethod.valueOf(name);
    }
}
