package dev.gptq.train;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.GradientPTQConfig.QuantizerParametersOverride;
import dev.gptq.config.OptimizerConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.RoundingPhasesConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.hessian.LossWeights;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class RoundingPhasesTest {
    private static final int STEPS = 20;
    private static final int HARD_START = 15;
    private static final RoundingPhasesConfig HARD_END = new RoundingPhasesConfig(0.2, false, 0.25);
    private static final float[] KERNEL = {0.31f, -0.72f, 0.11f, 0.64f, -0.05f, 0.5f};

    @Test
    void withTheDefaultsTheRegularizerActsInEveryStepAndRoundingStaysSoft() {
        RoundingPhases phases = RoundingPhases.of(RoundingPhasesConfig.defaults(), STEPS);

        for (int step = 0; step < STEPS; step++) {
            assertThat(phases.isRegularized(step)).isTrue();
            assertThat(phases.isHard(step)).isFalse();
        }
    }

    @Test
    void thePhasesFollowEachOtherWithoutOverlap() {
        RoundingPhases phases = RoundingPhases.of(HARD_END, STEPS);

        for (int step = 0; step < STEPS; step++) {
            assertThat(phases.isRegularized(step)).isEqualTo(step >= 4 && step < HARD_START);
            assertThat(phases.isHard(step)).isEqualTo(step >= HARD_START);
        }
        assertThat(phases.regularizerExponent().at(4)).isEqualTo(20);
        assertThat(phases.regularizerExponent().at(HARD_START)).isEqualTo(2);
    }

    @Property
    void everyAllowedSplitLeavesAStepToAnnealIn(
            @ForAll @IntRange(min = 1, max = 5000) int totalSteps,
            @ForAll @DoubleRange(min = 0, max = 0.99) double warmUp,
            @ForAll @DoubleRange(min = 0, max = 0.99) double shareOfRest) {
        double hard = (1 - warmUp) * shareOfRest;
        RoundingPhases phases = RoundingPhases.of(new RoundingPhasesConfig(warmUp, false, hard), totalSteps);

        assertThat(phases.annealingStart()).isBetween(0, totalSteps - 1);
        assertThat(phases.annealingEnd()).isBetween(phases.annealingStart() + 1, totalSteps);
        assertThat(phases.regularizerExponent().at(phases.annealingStart())).isEqualTo(20);
        assertThat(phases.regularizerExponent().at(phases.annealingEnd())).isEqualTo(2);
    }

    @Test
    void anUnregularizedWarmUpHasNoValueAndNoGradient() {
        RoundingTrainer free = trainer(new RoundingPhasesConfig(0.2, false, 0));
        RoundingTrainer regularized = trainer(RoundingPhasesConfig.defaults());

        for (int step = 0; step < 6; step++) {
            double value = free.update(noGradient()).regularization();
            double reference = regularized.update(noGradient()).regularization();
            assertThat(value > 0).isEqualTo(step >= 4);
            assertThat(reference).isPositive();
            if (step == 3) {
                // Without any gradient Adam leaves the variables where they started.
                assertThat(free.state().arrays().get("alpha"))
                        .isEqualTo(trainer(HARD_END).state().arrays().get("alpha"));
            }
        }
    }

    @Test
    void inTheHardPhaseTheStudentRunsTheExportedKernelAndOnlyBiasesAndScalesMove() {
        RoundingTrainer trainer = trainer(HARD_END);
        run(trainer, HARD_START - 1);
        assertThat(kernel(trainer)).isNotEqualTo(exported(trainer));
        run(trainer, 1);

        QuantizedLayer before = trainer.quantizedLayers().get(0);
        float[] variables = trainer.state().arrays().get("alpha");
        while (trainer.step() < STEPS) {
            assertThat(kernel(trainer)).isEqualTo(exported(trainer));
            run(trainer, 1);
            assertThat(trainer.state().arrays().get("alpha")).isEqualTo(variables);
        }
        QuantizedLayer after = trainer.quantizedLayers().get(0);

        assertThat(after.values()).isEqualTo(before.values());
        assertThat(after.bias()).isNotEqualTo(before.bias());
        assertThat(after.grid().scale()).isNotEqualTo(before.grid().scale());
        assertThat(kernel(trainer)).isEqualTo(exported(trainer));
    }

    @Test
    void aRunResumedInAnyPhaseEndsWithTheSameBits() {
        RoundingTrainer whole = trainer(HARD_END);
        run(whole, STEPS);
        for (int pause : new int[] {2, 9, HARD_START, HARD_START + 2}) {
            RoundingTrainer first = trainer(HARD_END);
            run(first, pause);
            RoundingTrainer second = trainer(HARD_END);
            second.restore(first.state());
            run(second, STEPS - pause);

            assertThat(second.parameters().values())
                    .isEqualTo(whole.parameters().values());
        }
    }

    private static float[] kernel(RoundingTrainer trainer) {
        return Arrays.copyOf(trainer.parameters().values(), KERNEL.length);
    }

    private static float[] exported(RoundingTrainer trainer) {
        QuantizedLayer layer = trainer.quantizedLayers().get(0);
        return layer.grid().dequantize(layer.values(), new long[] {2, 3});
    }

    private static LaneGradient noGradient() {
        return new LaneGradient(1, new float[KERNEL.length + 2]);
    }

    /** Each step's gradient follows from its number. */
    private static void run(RoundingTrainer trainer, int steps) {
        for (int i = 0; i < steps; i++) {
            Random random = new Random(trainer.step());
            float[] gradient = new float[KERNEL.length + 2];
            for (int k = 0; k < gradient.length; k++) {
                gradient[k] = (float) random.nextGaussian();
            }
            trainer.update(new LaneGradient(1, gradient));
        }
    }

    private static RoundingTrainer trainer(RoundingPhasesConfig phases) {
        GradientPTQConfig config = GradientPTQConfig.builder()
                .setNEpochs(1)
                .optLoss(GradientPTQConfig.MULTIPLE_TENSORS_MSE)
                .optOptimizer(OptimizerConfig.adam(0.01))
                .optOptimizerQuantizationParameter(OptimizerConfig.adam(0.01))
                .optQuantizerParametersOverride(new QuantizerParametersOverride(true, Map.of()))
                .optRoundingPhases(phases)
                .build();
        Graph graph = new Graph(
                "one layer",
                13,
                List.of(),
                List.of(),
                Map.of("w", TensorData.ofFloats(KERNEL, 2, 3), "b", TensorData.ofFloats(new float[] {1, -2}, 2)),
                List.of());
        WeightQuantizer weight = new WeightQuantizer(
                new ComparePoint("layer", "y", "w", "b", 0),
                QuantizationMethod.SYMMETRIC,
                3,
                0,
                new double[] {1, 0.5},
                null,
                null,
                null);
        QuantizationPlan plan = new QuantizationPlan(List.of(weight), List.of());
        return new RoundingTrainer(graph, plan, config, LossWeights.equal(1), STEPS);
    }
}
