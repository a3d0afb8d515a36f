package dev.gptq.train;

import ai.djl.Device;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.StatisticsCollector;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.engine.SamplePlaces;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.SamplePlace;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.hessian.HessianScorer;
import dev.gptq.hessian.LossWeights;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** A layer that has positions before samples, as exporters of attention write it, is scored and trained like any other. */
class PositionsFirstTest {
    private static final int SAMPLES = 4;
    private static final int FEATURES = 6;
    private static final long[] SWAPPED = {1, 0, 2};
    private static final GPTQHessianScoresConfig SCORES = GPTQHessianScoresConfig.perSampleDefaults();
    private static final GradientPTQConfig CONFIG = GradientPTQConfig.builder()
            .setNEpochs(1)
            .optHessianWeightsConfig(SCORES)
            .build();

    private record Result(double[][] scores, double loss, float[] gradient) {}

    @ParameterizedTest
    @ValueSource(ints = {3, 4})
    void positionsThatComeFirstChangeNothing(int positions) {
        Result expected =
                result(graph(positions).node("MatMul", "x w1", "h").node("Relu", "h", "r"), positions, Map.of());

        GraphBuilder swapped = graph(positions)
                .node("Transpose", "x", "t", "perm", SWAPPED)
                .node("MatMul", "t w1", "h")
                .node("Relu", "h", "s")
                .node("Transpose", "s", "r", "perm", SWAPPED);
        assertSame(result(swapped, positions, Map.of("h", new SamplePlace(1, false))), expected);

        GraphBuilder rows = graph(positions)
                .longs("rows", -1, FEATURES)
                .longs("apart", positions, -1, FEATURES)
                .node("Transpose", "x", "t", "perm", SWAPPED)
                .node("Reshape", "t rows", "u")
                .node("MatMul", "u w1", "h")
                .node("Relu", "h", "v")
                .node("Reshape", "v apart", "s")
                .node("Transpose", "s", "r", "perm", SWAPPED);
        assertSame(result(rows, positions, Map.of("h", new SamplePlace(0, true))), expected);
    }

    private static GraphBuilder graph(int positions) {
        return new GraphBuilder(13)
                .input("x", -1, positions, FEATURES)
                .weight("w1", FEATURES, FEATURES)
                .weight("w2", FEATURES, 2);
    }

    private static Result result(GraphBuilder builder, int positions, Map<String, SamplePlace> expectedPlaces) {
        QuantizationConfig config = QuantizationConfig.defaults();
        Graph prepared =
                GraphPreparation.prepare(builder.node("MatMul", "r w2", "out").build(), config.preparation());
        try (GraphExecutor model = new GraphExecutor(prepared, Device.cpu())) {
            SampleBatch batch =
                    new SampleBatch(0, SAMPLES, Map.of("x", Models.random(7, SAMPLES, positions, FEATURES)), null);
            QuantizationPlan unplaced =
                    PlanBuilder.build(prepared, new StatisticsCollector(model).collect(batch), config);
            List<ComparePoint> layers = unplaced.weights().stream()
                    .map(quantizer -> quantizer.point())
                    .toList();
            Map<String, SamplePlace> places = SamplePlaces.find(
                    model, layers.stream().map(ComparePoint::output).collect(Collectors.toSet()), batch);
            assertThat(places).isEqualTo(expectedPlaces);

            QuantizationPlan plan = unplaced.withPlaces(places);
            List<ComparePoint> placed =
                    layers.stream().map(layer -> layer.at(places)).toList();
            double[][] scores = new HessianScorer(model, placed, SCORES, 0).score(batch);
            LossWeights weights = LossWeights.equal(layers.size());
            float[] values = new RoundingTrainer(prepared, plan, CONFIG, weights, 10)
                    .parameters()
                    .values();
            // Away from the float model, where the gradient is zero.
            for (int i = 0; i < values.length; i++) {
                values[i] += 0.1f * (i % 3);
            }
            MicroBatch lane = new MicroBatch(batch, toFloats(scores), 1, null, SAMPLES);
            LaneGradient gradient = new GradientComputer(model, plan, CONFIG, weights)
                    .compute(new StudentParameters(0, values, 1), lane);
            return new Result(scores, gradient.loss(), gradient.gradient());
        }
    }

    private static float[][] toFloats(double[][] scores) {
        float[][] floats = new float[scores.length][scores[0].length];
        for (int i = 0; i < scores.length; i++) {
            for (int j = 0; j < scores[i].length; j++) {
                floats[i][j] = (float) scores[i][j];
            }
        }
        return floats;
    }

    private static void assertSame(Result actual, Result expected) {
        for (int sample = 0; sample < SAMPLES; sample++) {
            assertThat(actual.scores()[sample]).containsExactly(expected.scores()[sample], within(1e-4));
        }
        assertThat(actual.loss()).isCloseTo(expected.loss(), within(1e-4 * expected.loss()));
        float largest = 0;
        for (float value : expected.gradient()) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertThat(largest).isPositive();
        assertThat(actual.gradient()).containsExactly(expected.gradient(), within(1e-4f * largest));
    }
}
