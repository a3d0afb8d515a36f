package dev.gptq.train;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

class RoundingTrainerTest {
    private static final int STEPS = 20;
    private static final float[] KERNEL = {0.31f, -0.72f, 0.11f, 0.64f, -0.05f, 0.5f};
    private static final float[] BIAS = {1, -2};
    private static final LossWeights EQUAL = LossWeights.equal(2);

    /** Two layers with one kernel each; the second has no bias. */
    private static final Graph GRAPH = new Graph(
            "two layers",
            13,
            List.of(),
            List.of(),
            Map.of(
                    "w1", TensorData.ofFloats(KERNEL, 2, 3),
                    "b1", TensorData.ofFloats(BIAS, 2),
                    "w2", TensorData.ofFloats(new float[] {0.6f, -0.4f}, 1, 2)),
            List.of());

    static Stream<GradientPTQConfig> configurations() {
        return Stream.of(
                config().build(),
                config().optRoundingType(RoundingType.STE).build(),
                config().optTrainBias(false).build(),
                config().optQuantizerParametersOverride(new QuantizerParametersOverride(true, Map.of()))
                        .optOptimizer(OptimizerConfig.rAdam(0.05))
                        .optOptimizerBias(null)
                        .build());
    }

    @ParameterizedTest
    @MethodSource("configurations")
    void aResumedRunEndsWithTheSameBits(GradientPTQConfig config) {
        RoundingTrainer whole = trainer(config);
        run(whole, STEPS);

        RoundingTrainer first = trainer(config);
        run(first, 7);
        TrainerState saved = first.state();
        run(first, 3);
        RoundingTrainer second = trainer(config);
        second.restore(saved);
        assertThat(second.step()).isEqualTo(7);
        run(second, STEPS - 7);

        assertThat(second.parameters().values()).isEqualTo(whole.parameters().values());
        assertThat(second.state().arrays().keySet())
                .isEqualTo(whole.state().arrays().keySet());
        whole.state()
                .arrays()
                .forEach((name, array) ->
                        assertThat(second.state().arrays().get(name)).as(name).isEqualTo(array));
    }

    @Test
    void aCheckpointOfAnotherConfigurationIsRefused() {
        TrainerState state = trainer(config().build()).state();
        RoundingTrainer other =
                trainer(config().optOptimizer(OptimizerConfig.sgd(0.1, 0)).build());
        assertThatThrownBy(() -> other.restore(state))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("alpha.moment1");
    }

    @Test
    void trainingStartsAtTheFloatKernelAndTheCorrectedBias() {
        float[] values = trainer(config().build()).parameters().values();
        for (int i = 0; i < KERNEL.length; i++) {
            assertThat(values[i]).isCloseTo(KERNEL[i], within(1e-6f));
        }
        assertThat(Arrays.copyOfRange(values, 8, 10)).containsExactly(0.75f, -2.5f);
    }

    @Test
    void biasesStayWhenTheyAreNotTrained() {
        RoundingTrainer trainer = trainer(config().optTrainBias(false).build());
        run(trainer, 3);
        assertThat(trainer.quantizedLayers().get(0).bias()).containsExactly(0.75f, -2.5f);
        assertThat(trainer.quantizedLayers().get(1).bias()).isNull();
    }

    @Test
    void aPersistentGradientFlipsTheRounding() {
        RoundingTrainer trainer = trainer(config().optRegularizationFactor(0.0)
                .optOptimizer(OptimizerConfig.adam(0.1))
                .build());
        int[] before = trainer.quantizedLayers().get(0).values();
        // w = 0.31 with step 0.25 lies between 1 and 2, nearer to 1.
        assertThat(before[0]).isEqualTo(1);
        float[] gradient = new float[10];
        gradient[0] = -1;
        for (int step = 0; step < STEPS; step++) {
            trainer.update(new LaneGradient(1, gradient.clone()));
        }
        int[] expected = before.clone();
        expected[0] = 2;
        assertThat(trainer.quantizedLayers().get(0).values()).isEqualTo(expected);
    }

    @Test
    void learnedScalesReachTheGridOfTheResult() {
        RoundingTrainer trainer =
                trainer(config().optQuantizerParametersOverride(new QuantizerParametersOverride(true, Map.of()))
                        .optOptimizerQuantizationParameter(OptimizerConfig.sgd(0.5, 0))
                        .build());
        float[] values = trainer.parameters().values().clone();
        float[] gradient = new float[10];
        gradient[6] = 0.1f;
        trainer.update(new LaneGradient(1, gradient));
        QuantizedLayer second = trainer.quantizedLayers().get(1);
        // ds = w * dL/dw = 0.06, so s = 1 - 0.5 * 0.06; the step was 0.125.
        assertThat(second.grid().scale()[0]).isCloseTo(0.125f * (1 - 0.05f * values[6]), within(1e-6f));
        assertThat(trainer.quantizedLayers().get(0).grid().scale()[0]).isEqualTo(0.25f);
    }

    @Test
    void aValueThatIsNotFiniteEndsTrainingWithTheLayersName() {
        RoundingTrainer trainer = trainer(config().build());
        float[] gradient = new float[10];
        gradient[7] = Float.NaN;
        assertThatThrownBy(() -> trainer.update(new LaneGradient(1, gradient)))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DIVERGED))
                .hasMessageContaining("second")
                .hasMessageContaining("step 0");
        assertThatThrownBy(() -> trainer.update(new LaneGradient(Double.POSITIVE_INFINITY, new float[10])))
                .hasMessageContaining("loss is Infinity");
    }

    @Test
    void aLossAboveTheLimitEndsTrainingWithTheLayerThatHasMovedFarthest() {
        RoundingTrainer trainer =
                trainer(config().optOptimizerBias(OptimizerConfig.sgd(1e3, 0)).build());
        float[] gradient = new float[10];
        gradient[8] = 2;
        RoundingTrainer.StepResult result = trainer.update(new LaneGradient(5, gradient));

        trainer.requireBelow(5, result, trainer.parameters().values());
        assertThatThrownBy(() ->
                        trainer.requireBelow(4.9, result, trainer.parameters().values()))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DIVERGED))
                .hasMessageContainingAll(
                        "step 0 of",
                        "exploded to 5.000",
                        "may reach 4.900",
                        "bias of layer first is farthest from the float model's, by 2000",
                        "training.divergence_factor");
    }

    @Test
    void whatCannotBeTrainedIsRefusedWithItsReason() {
        GradientPTQConfig ste = config().optRoundingType(RoundingType.STE).build();
        assertThatThrownBy(() -> new RoundingTrainer(GRAPH, uniformPlan(), ste, EQUAL, STEPS))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("STE")
                .hasMessageContaining("UNIFORM");
    }

    @Test
    void learnedRangesStepByTheirOwnOptimizerAndReachTheResult() {
        QuantizationPlan plan = uniformPlan();
        GradientPTQConfig config = config().optQuantizerParametersOverride(
                        new QuantizerParametersOverride(true, Map.of()))
                .optOptimizerQuantizationParameter(OptimizerConfig.sgd(0.5, 0))
                .build();
        RoundingTrainer trainer = new RoundingTrainer(GRAPH, plan, config, EQUAL, STEPS);
        int size = trainer.parameters().values().length;
        float[] before = trainer.state().arrays().get("scale").clone();
        WeightQuantizer first = plan.weights().get(0);
        assertThat(before[0]).isEqualTo((float) first.rangeMin()[0]);
        float[] gradient = new float[size];
        Arrays.fill(gradient, 0.3f);
        trainer.update(new LaneGradient(1, gradient));
        float[] after = trainer.state().arrays().get("scale");
        assertThat(after).isNotEqualTo(before);
        int channels = first.rangeMin().length;
        double[] min = new double[channels];
        double[] max = new double[channels];
        for (int c = 0; c < channels; c++) {
            min[c] = after[c];
            max[c] = after[channels + c];
        }
        WeightQuantizer moved = new WeightQuantizer(
                first.point(), QuantizationMethod.UNIFORM, first.bits(), first.channelAxis(), null, min, max, null);
        assertThat(trainer.quantizedLayers().get(0).grid().scale())
                .isEqualTo(moved.grid().scale());
    }

    @Test
    void biasesAndScalesFallBackToOptimizerRestOnly() {
        OptimizerConfig rest = OptimizerConfig.sgd(0.25, 0);
        QuantizerParametersOverride learning = new QuantizerParametersOverride(true, Map.of());
        float[] gradient = new float[10];
        Arrays.fill(gradient, 0.5f);
        GradientPTQConfigBuilder fallback = config().optQuantizerParametersOverride(learning)
                .optOptimizerRest(rest)
                .optOptimizerBias(null)
                .optOptimizerQuantizationParameter(null);
        GradientPTQConfigBuilder own = config().optQuantizerParametersOverride(learning)
                .optOptimizerRest(rest)
                .optOptimizerBias(OptimizerConfig.sgd(0.5, 0))
                .optOptimizerQuantizationParameter(OptimizerConfig.sgd(0.5, 0));
        RoundingTrainer byRest = trainer(fallback.build());
        RoundingTrainer byOwn = trainer(own.build());
        float[] bias = byRest.state().arrays().get("bias").clone();
        byRest.update(new LaneGradient(1, gradient.clone()));
        byOwn.update(new LaneGradient(1, gradient.clone()));

        assertThat(byRest.state().arrays().get("bias")[0]).isEqualTo(bias[0] - 0.25f * 0.5f);
        assertThat(byOwn.state().arrays().get("bias")[0]).isEqualTo(bias[0] - 0.5f * 0.5f);
        float movedByRest = byRest.state().arrays().get("scale")[2] - 1;
        float movedByOwn = byOwn.state().arrays().get("scale")[2] - 1;
        assertThat(movedByRest).isNotZero();
        assertThat(movedByOwn).isCloseTo(2 * movedByRest, within(1e-6f));
        assertThat(byOwn.state().arrays().get("alpha"))
                .isEqualTo(byRest.state().arrays().get("alpha"));
    }

    @Test
    void powersOfTwoIgnoreTheFlagThatLearnsScales() {
        QuantizationPlan plan = new QuantizationPlan(
                List.of(new WeightQuantizer(
                        new ComparePoint("first", "y1", "w1", "b1", 0),
                        QuantizationMethod.POWER_OF_TWO,
                        3,
                        0,
                        new double[] {1, 0.5},
                        null,
                        null,
                        null)),
                List.of());
        LossWeights one = LossWeights.equal(1);
        GradientPTQConfig learned = config().optQuantizerParametersOverride(
                        new QuantizerParametersOverride(true, Map.of()))
                .build();
        RoundingTrainer flagged = new RoundingTrainer(GRAPH, plan, learned, one, STEPS);
        RoundingTrainer plain = new RoundingTrainer(GRAPH, plan, config().build(), one, STEPS);
        float[] gradient = {0.3f, -0.2f, 0.1f, 0.5f, 0.4f, -0.6f, 0.1f, 0.1f};
        for (int step = 0; step < 3; step++) {
            flagged.update(new LaneGradient(1, gradient.clone()));
            plain.update(new LaneGradient(1, gradient.clone()));
        }
        assertThat(flagged.state().arrays()).doesNotContainKey("scale");
        assertThat(flagged.parameters().values()).isEqualTo(plain.parameters().values());
        assertThat(flagged.quantizedLayers().get(0).grid().scale()).containsExactly(0.25f, 0.125f);
    }

    @Test
    void theStepsAWeightMayMoveByDependOnItsKernelsBits() {
        GradientPTQConfig config = config().optRoundingType(RoundingType.STE)
                .optOptimizer(OptimizerConfig.sgd(1, 0))
                .optQuantizerParametersOverride(new QuantizerParametersOverride(false, Map.of(4, 3)))
                .build();
        List<WeightQuantizer> weights = new ArrayList<>();
        for (int bits : new int[] {3, 4}) {
            weights.add(new WeightQuantizer(
                    new ComparePoint("bits " + bits, "y" + bits, "w1", null, 0),
                    QuantizationMethod.SYMMETRIC,
                    bits,
                    0,
                    new double[] {1, 1},
                    null,
                    null,
                    null));
        }
        RoundingTrainer trainer =
                new RoundingTrainer(GRAPH, new QuantizationPlan(weights, List.of()), config, EQUAL, STEPS);
        int[] three = trainer.quantizedLayers().get(0).values().clone();
        int[] four = trainer.quantizedLayers().get(1).values().clone();
        float[] gradient = new float[12];
        gradient[4] = 9;
        gradient[10] = 9;
        trainer.update(new LaneGradient(1, gradient));

        assertThat(trainer.quantizedLayers().get(0).values()[4]).isEqualTo(three[4] - 1);
        assertThat(trainer.quantizedLayers().get(1).values()[4]).isEqualTo(four[4] - 3);
    }

    @Test
    void roundingStartsAtTheFractionOfAStepThatEachWeightIsAboveTheGrid() {
        ComparePoint first = new ComparePoint("first", "y1", "w1", "b1", 0);
        QuantizationPlan plan = new QuantizationPlan(
                List.of(new WeightQuantizer(
                        first, QuantizationMethod.SYMMETRIC, 3, 0, new double[] {1, 1}, null, null, null)),
                List.of());
        GradientPTQConfig config = config().build();
        RoundingTrainer trainer = new RoundingTrainer(GRAPH, plan, config, LossWeights.equal(1), STEPS);

        float[] values = RoundingValues.of(GRAPH, plan, config, trainer.state()).get("first");

        float[] kernel = GRAPH.constants().get("w1").floats();
        assertThat(values).hasSameSizeAs(kernel);
        for (int i = 0; i < kernel.length; i++) {
            double steps = kernel[i] / 0.25;
            assertThat((double) values[i]).isCloseTo(steps - Math.floor(steps), within(1e-5));
        }
    }

    @Test
    void theLogFunctionSeesEveryStep() {
        RecordingLog.SEEN.get().clear();
        RoundingTrainer trainer =
                trainer(config().optLogFunction(RecordingLog.class.getName()).build());
        run(trainer, 3);
        assertThat(RecordingLog.SEEN.get()).containsExactly("0/0", "1/1", "2/2");
    }

    private static GradientPTQConfigBuilder config() {
        return GradientPTQConfig.builder()
                .setNEpochs(1)
                .optHessianWeightsConfig(null)
                .optRegularizationFactor(0.001);
    }

    private static RoundingTrainer trainer(GradientPTQConfig config) {
        ComparePoint first = new ComparePoint("first", "y1", "w1", "b1", 0);
        ComparePoint second = new ComparePoint("second", "y2", "w2", null, 0);
        QuantizationPlan plan = new QuantizationPlan(
                List.of(
                        new WeightQuantizer(
                                first,
                                QuantizationMethod.SYMMETRIC,
                                3,
                                0,
                                new double[] {1, 1},
                                null,
                                null,
                                new double[] {0.25, 0.5}),
                        new WeightQuantizer(
                                second, QuantizationMethod.SYMMETRIC, 4, -1, new double[] {1}, null, null, null)),
                List.of());
        return new RoundingTrainer(GRAPH, plan, config, EQUAL, STEPS);
    }

    private static QuantizationPlan uniformPlan() {
        ComparePoint first = new ComparePoint("first", "y1", "w1", "b1", 0);
        WeightQuantizer uniform = new WeightQuantizer(
                first, QuantizationMethod.UNIFORM, 4, -1, null, new double[] {-1}, new double[] {1}, null);
        return new QuantizationPlan(List.of(uniform), List.of());
    }

    /** Steps whose gradient depends on step and parameters, as a real one does. */
    private static void run(RoundingTrainer trainer, int steps) {
        for (int i = 0; i < steps; i++) {
            StudentParameters parameters = trainer.parameters();
            float[] gradient = new float[parameters.values().length];
            for (int k = 0; k < gradient.length; k++) {
                gradient[k] = (float) Math.sin(3 * parameters.values()[k] + k + parameters.step());
            }
            trainer.update(new LaneGradient(parameters.step(), gradient));
        }
    }

    /** Notes step and loss of the calls on this thread. */
    public static final class RecordingLog implements LogFunction {
        private static final ThreadLocal<List<String>> SEEN = ThreadLocal.withInitial(ArrayList::new);

        @Override
        public void onStep(RoundingTrainer.StepResult result, StudentParameters parameters) {
            SEEN.get().add(parameters.step() + "/" + (int) result.distillationLoss());
        }
    }
}
