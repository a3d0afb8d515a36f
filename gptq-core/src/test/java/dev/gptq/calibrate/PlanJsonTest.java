package dev.gptq.calibrate;

import dev.gptq.GptqException;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoint;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class PlanJsonTest {
    @Test
    void aPlanComesBackExactly() {
        ComparePoint point = new ComparePoint("conv", "conv_out", "w", "b", 0);
        QuantizationPlan plan = new QuantizationPlan(
                List.of(
                        new WeightQuantizer(
                                point,
                                QuantizationMethod.SYMMETRIC,
                                2,
                                0,
                                new double[] {1.0 / 3, Double.MIN_VALUE},
                                null,
                                null,
                                new double[] {-0.0, Math.PI}),
                        new WeightQuantizer(
                                new ComparePoint("fc", "fc_out", "w2", null, 1),
                                QuantizationMethod.UNIFORM,
                                8,
                                -1,
                                null,
                                new double[] {-1e-7},
                                new double[] {0.3},
                                null)),
                List.of(
                        new ActivationQuantizer("x", QuantizationMethod.UNIFORM, 8, true, 0, -0.1 * 3, 1e-300),
                        new ActivationQuantizer("y", QuantizationMethod.POWER_OF_TWO, 8, false, 4, 0, 0)));
        assertThat(QuantizationPlan.fromJson(plan.toJson()))
                .usingRecursiveComparison()
                .isEqualTo(plan);
    }

    @Test
    void aDamagedPlanFileIsBadInput() {
        assertThatThrownBy(() -> QuantizationPlan.fromJson("{\"weights\": ["))
                .isInstanceOf(GptqException.class)
                .hasMessageStartingWith("Cannot read quantization plan: ");
    }

    @Test
    void statisticsComeBackExactly() {
        float[] values = {0f, 0.1f, -3f, 1e-7f, 5f, 5f};
        ChannelStatistics channels = ChannelStatistics.of(values, new long[] {2, 3}, 1);
        Histogram histogram = HistogramTest.histogram(values);
        BlockStatistics statistics = new BlockStatistics(
                2,
                Map.of("x", new TensorStatistics(histogram, channels), "s", new TensorStatistics(histogram, null)),
                Map.of("conv", channels));
        assertThat(BlockStatistics.fromJson(statistics.toJson()))
                .usingRecursiveComparison()
                .isEqualTo(statistics);
    }

    @Test
    void aDamagedStatisticsFileIsBadInput() {
        for (String json : List.of("", "[]", "{\"samples\": 3}", "{\"activations\":")) {
            assertThatThrownBy(() -> BlockStatistics.fromJson(json))
                    .isInstanceOf(GptqException.class)
                    .hasMessageStartingWith("Cannot read activation statistics: ");
        }
    }
}
