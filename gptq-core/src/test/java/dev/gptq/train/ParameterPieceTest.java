package dev.gptq.train;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.GradientPTQConfig.QuantizerParametersOverride;
import dev.gptq.config.GradientPTQConfigBuilder;
import dev.gptq.config.OptimizerConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.RoundingType;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.hessian.LossWeights;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class ParameterPieceTest {
    private static final int STEPS = 6;
    private static final int UNCUT = 1 << 20;
    private static final LossWeights WEIGHTS = new LossWeights(new float[] {1, 2, 3}, new float[] {1, 2, 3});

    /** Channels along the first axis, along the second, and none. */
    private static final Graph GRAPH = new Graph(
            "three layers",
            13,
            List.of(),
            List.of(),
            Map.of(
                    "w0", tensor(1, 5, 2, 3),
                    "b0", tensor(2, 5),
                    "w1", tensor(3, 4, 3),
                    "w2", tensor(4, 6, 2),
                    "b2", tensor(5, 6)),
            List.of());

    private static TensorData tensor(int seed, long... shape) {
        Random random = new Random(seed);
        float[] values = new float[(int) TensorData.elementCount(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * 0.4f;
        }
        return TensorData.ofFloats(values, shape);
    }

    static Stream<GradientPTQConfig> configurations() {
        return Stream.of(
                config().build(),
                config().optRoundingType(RoundingType.STE).build(),
                config().optQuantizerParametersOverride(new QuantizerParametersOverride(true, Map.of()))
                        .optOptimizerQuantizationParameter(OptimizerConfig.adam(0.01))
                        .build());
    }

    @ParameterizedTest(name = "configuration {index}")
    @MethodSource("configurations")
    void trainersOfPartsTogetherDoWhatOneOfTheWholeDoes(GradientPTQConfig config) {
        List<ParameterPiece> pieces = cut(config, 7);
        RoundingTrainer whole = trainer(config, pieces, 0, pieces.size());
        for (int border : new int[] {1, 3, pieces.size() - 1}) {
            RoundingTrainer expected = trainer(config, pieces, 0, pieces.size());
            RoundingTrainer first = trainer(config, pieces, 0, border);
            RoundingTrainer second = trainer(config, pieces, border, pieces.size());
            first.restore(whole.state());
            second.restore(whole.state());
            expected.restore(whole.state());
            float[] values = new float[expected.parameters().values().length];
            for (int step = 0; step < STEPS; step++) {
                for (int piece = 0; piece < pieces.size(); piece++) {
                    (piece < border ? first : second).writePiece(piece, values);
                }
                assertThat(values).isEqualTo(expected.parameters().values());
                LaneGradient gradient = gradient(expected.parameters());
                double[] regularization = new double[pieces.size()];
                for (int piece = 0; piece < pieces.size(); piece++) {
                    regularization[piece] = (piece < border ? first : second)
                            .updatePiece(
                                    piece,
                                    gradient.gradient(),
                                    pieces.get(piece).from());
                }
                RoundingTrainer.StepResult result = expected.update(gradient);
                assertThat(first.finishStep(gradient.loss(), regularization, values))
                        .isEqualTo(result);
                assertThat(second.finishStep(gradient.loss(), regularization, values))
                        .isEqualTo(result);
            }
            TrainerState joined = TrainerState.join(List.of(first.state(), second.state()));
            assertSameState(joined, expected.state());
            assertThat(second.stateLengths(border, pieces.size())).isEqualTo(lengths(second.state()));
        }
    }

    @ParameterizedTest(name = "configuration {index}")
    @MethodSource("configurations")
    void howAModelIsCutDoesNotChangeItsParameters(GradientPTQConfig config) {
        List<ParameterPiece> rows = cut(config, 1);
        List<ParameterPiece> layers = cut(config, UNCUT);
        RoundingTrainer byRow = trainer(config, rows, 0, rows.size());
        RoundingTrainer byLayer = trainer(config, layers, 0, layers.size());
        for (int step = 0; step < STEPS; step++) {
            LaneGradient gradient = gradient(byLayer.parameters());
            assertThat(byRow.parameters().values())
                    .isEqualTo(byLayer.parameters().values());
            RoundingTrainer.StepResult cut = byRow.update(gradient);
            assertThat(cut.regularization()).isCloseTo(byLayer.update(gradient).regularization(), within(1e-12));
        }
        assertThat(byRow.state().arrays().get("alpha.moment2"))
                .isEqualTo(byLayer.state().arrays().get("alpha.moment2"));
        for (int layer = 0; layer < 3; layer++) {
            assertThat(byRow.quantizedLayers().get(layer).values())
                    .isEqualTo(byLayer.quantizedLayers().get(layer).values());
            assertThat(byRow.quantizedLayers().get(layer).bias())
                    .isEqualTo(byLayer.quantizedLayers().get(layer).bias());
            assertThat(byRow.quantizedLayers().get(layer).grid().scale())
                    .isEqualTo(byLayer.quantizedLayers().get(layer).grid().scale());
        }
    }

    @Test
    void piecesCoverTheParametersWithoutGapsAndAreNotLargerThanAskedFor() {
        List<ParameterPiece> pieces = cut(config().build(), 7);
        int next = 0;
        for (ParameterPiece piece : pieces) {
            assertThat(piece.from()).isEqualTo(next);
            assertThat(piece.size()).isBetween(1, 7);
            next = piece.to();
        }
        assertThat(next)
                .isEqualTo(ParameterLayout.of(GRAPH, plan(config().build())).totalCount());
    }

    private static LaneGradient gradient(StudentParameters parameters) {
        float[] gradient = new float[parameters.values().length];
        for (int k = 0; k < gradient.length; k++) {
            gradient[k] = (float) Math.sin(3 * parameters.values()[k] + k + parameters.step());
        }
        return new LaneGradient(parameters.step(), gradient);
    }

    private static Map<String, Integer> lengths(TrainerState state) {
        Map<String, Integer> lengths = new TreeMap<>();
        state.arrays().forEach((name, array) -> lengths.put(name, array.length));
        return lengths;
    }

    private static void assertSameState(TrainerState state, TrainerState expected) {
        assertThat(state.step()).isEqualTo(expected.step());
        assertThat(state.arrays().keySet()).isEqualTo(expected.arrays().keySet());
        expected.arrays()
                .forEach((name, array) ->
                        assertThat(state.arrays().get(name)).as(name).isEqualTo(array));
    }

    private static GradientPTQConfigBuilder config() {
        return GradientPTQConfig.builder()
                .setNEpochs(1)
                .optHessianWeightsConfig(null)
                .optRegularizationFactor(0.001);
    }

    private static List<ParameterPiece> cut(GradientPTQConfig config, int largest) {
        QuantizationPlan plan = plan(config);
        return ParameterPiece.cut(ParameterLayout.of(GRAPH, plan), plan, config, largest);
    }

    private static RoundingTrainer trainer(GradientPTQConfig config, List<ParameterPiece> pieces, int first, int end) {
        return new RoundingTrainer(GRAPH, plan(config), config, WEIGHTS, STEPS, pieces, first, end, null);
    }

    private static QuantizationPlan plan(GradientPTQConfig config) {
        return new QuantizationPlan(
                IntStream.range(0, 3)
                        .mapToObj(layer -> quantizer(layer, config.roundingType() == RoundingType.STE))
                        .toList(),
                List.of());
    }

    private static WeightQuantizer quantizer(int layer, boolean symmetric) {
        int axis = new int[] {0, 1, -1}[layer];
        int channels = new int[] {5, 3, 1}[layer];
        double[] high =
                IntStream.range(0, channels).mapToDouble(c -> 0.7 + 0.1 * c).toArray();
        double[] low =
                IntStream.range(0, channels).mapToDouble(c -> -0.6 - 0.1 * c).toArray();
        ComparePoint point =
                new ComparePoint("layer" + layer, "y" + layer, "w" + layer, layer == 1 ? null : "b" + layer, 0);
        return layer == 0 && !symmetric
                ? new WeightQuantizer(point, QuantizationMethod.UNIFORM, 3, axis, null, low, high, null)
                : new WeightQuantizer(point, QuantizationMethod.SYMMETRIC, 3, axis, high, null, null, null);
    }
}
