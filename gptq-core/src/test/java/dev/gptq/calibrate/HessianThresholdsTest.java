package dev.gptq.calibrate;

import ai.djl.Device;
import dev.gptq.GptqException;
import dev.gptq.config.LayerOverride;
import dev.gptq.config.LayerOverride.Values;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.hessian.WeightHessian;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Thresholds by hmse on a layer whose largest weights read the inputs that matter least. */
class HessianThresholdsTest {
    private static final int INPUTS = 24;
    private static final int OUTPUTS = 6;
    private static final int SAMPLES = WeightHessian.SAMPLES;
    private static final int BITS = 3;
    private static final Graph GRAPH = graph();
    private static final TensorData INPUT = input();

    @ParameterizedTest
    @EnumSource(QuantizationMethod.class)
    void hmseCostsTheOutputLessThanMseWhereLargeWeightsReadSmallInputs(QuantizationMethod method) {
        assertThat(outputError(method, ThresholdMethod.HMSE))
                .isLessThan(0.5 * outputError(method, ThresholdMethod.MSE));
    }

    @ParameterizedTest
    @EnumSource(QuantizationMethod.class)
    void equalHessiansOfAnySizeAndZerosGiveTheThresholdsOfMse(QuantizationMethod method) {
        TensorData kernel = GRAPH.constants().get("w");
        WeightThresholds mse = WeightThresholds.choose(kernel, 1, weights(method, ThresholdMethod.MSE), null);
        for (float size : new float[] {0, 1, 0x1p-40f}) {
            float[] hessian = new float[kernel.size()];
            Arrays.fill(hessian, size);
            WeightThresholds hmse = WeightThresholds.choose(kernel, 1, weights(method, ThresholdMethod.HMSE), hessian);

            assertThat(grid(method, hmse).scale()).isEqualTo(grid(method, mse).scale());
        }
    }

    @Test
    void onlyLayersWithTheMethodNeedAHessian() {
        QuantizationConfig config = QuantizationConfig.defaults()
                .withLayers(List.of(LayerOverride.ofWeights("out", new Values(null, null, ThresholdMethod.HMSE))));

        assertThat(LayerSettings.of(GRAPH, config).hessianPoints())
                .extracting(ComparePoint::name)
                .containsExactly("out");
        assertThat(LayerSettings.of(GRAPH, QuantizationConfig.defaults()).hessianPoints())
                .isEmpty();
    }

    @Test
    void aPlanWithoutItsHessianIsRefused() {
        try (GraphExecutor executor = new GraphExecutor(GRAPH, Device.cpu())) {
            BlockStatistics statistics = new StatisticsCollector(executor).collect(batch(0, SAMPLES));
            QuantizationConfig config = QuantizationConfig.defaults()
                    .withWeights(weights(QuantizationMethod.SYMMETRIC, ThresholdMethod.HMSE));

            assertThatThrownBy(() -> PlanBuilder.build(GRAPH, statistics, config))
                    .isInstanceOf(GptqException.class)
                    .hasMessageContainingAll("layer out", "weight Hessian is missing", "threshold_method mse");
        }
    }

    /** The squared error of the layer's output with its kernel rounded to nearest, over all samples. */
    private static double outputError(QuantizationMethod method, ThresholdMethod metric) {
        QuantizationConfig config = QuantizationConfig.defaults().withWeights(weights(method, metric));
        try (GraphExecutor executor = new GraphExecutor(GRAPH, Device.cpu())) {
            List<ComparePoint> points = LayerSettings.of(GRAPH, config).points();
            WeightHessian hessian = new WeightHessian(executor, points, 0);
            WeightHessian.Sums sums = hessian.of(batch(0, 1));
            for (int sample = 1; sample < SAMPLES; sample++) {
                sums = sums.merge(hessian.of(batch(sample, 1)));
            }
            BlockStatistics statistics = new StatisticsCollector(executor).collect(batch(0, SAMPLES));
            QuantizationPlan plan = PlanBuilder.build(GRAPH, statistics, config, sums.means(points));
            QuantizedLayer layer = PlanBuilder.roundToNearest(GRAPH, plan).get(0);
            Map<String, TensorData> constants = new LinkedHashMap<>(GRAPH.constants());
            long[] shape = constants.get("w").shape();
            constants.put("w", TensorData.ofFloats(layer.grid().dequantize(layer.values(), shape), shape));
            float[] rounded = Models.run(GRAPH.withConstants(constants), Map.of("x", INPUT))
                    .get("out")
                    .floats();
            float[] exact = Models.run(GRAPH, Map.of("x", INPUT)).get("out").floats();
            double error = 0;
            for (int i = 0; i < exact.length; i++) {
                double difference = rounded[i] - exact[i];
                error += difference * difference;
            }
            return error;
        }
    }

    private static Graph graph() {
        float[] kernel = Models.random(1, INPUTS, OUTPUTS).floats();
        for (int i = 0; i < kernel.length; i++) {
            kernel[i] *= isSmall(i / OUTPUTS) ? 8 : 1;
        }
        return new GraphBuilder(13)
                .input("x", -1, INPUTS)
                .constant("w", TensorData.ofFloats(kernel, INPUTS, OUTPUTS))
                .node("MatMul", "x w", "out")
                .build();
    }

    private static TensorData input() {
        float[] values = Models.random(2, SAMPLES, INPUTS).floats();
        for (int i = 0; i < values.length; i++) {
            values[i] *= isSmall(i % INPUTS) ? 0.01f : 1;
        }
        return TensorData.ofFloats(values, SAMPLES, INPUTS);
    }

    private static boolean isSmall(int input) {
        return input % 4 == 0;
    }

    private static SampleBatch batch(int first, int size) {
        float[] values = Arrays.copyOfRange(INPUT.floats(), first * INPUTS, (first + size) * INPUTS);
        return new SampleBatch(first, size, Map.of("x", TensorData.ofFloats(values, size, INPUTS)), null);
    }

    private static QuantizationConfig.Weights weights(QuantizationMethod method, ThresholdMethod metric) {
        return new QuantizationConfig.Weights(BITS, method, true, metric, 2);
    }

    private static QuantizationGrid grid(QuantizationMethod method, WeightThresholds chosen) {
        return method == QuantizationMethod.UNIFORM
                ? QuantizationGrid.uniform(
                        chosen.ranges().min(), chosen.ranges().max(), BITS, 1)
                : QuantizationGrid.symmetric(chosen.threshold(), BITS, true, 1);
    }
}
