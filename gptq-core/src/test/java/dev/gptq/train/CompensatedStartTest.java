package dev.gptq.train;

import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.calibrate.StartingKernels;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.GradientPTQConfig.QuantizerParametersOverride;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.RoundingType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.hessian.LossWeights;
import dev.gptq.testing.M1;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class CompensatedStartTest {
    private static final String WEIGHT = "conv2_bn.w";
    private static final Graph GRAPH = M1.graph();

    @ParameterizedTest
    @CsvSource({
        "SoftQuantizer, SYMMETRIC, false",
        "SoftQuantizer, SYMMETRIC, true",
        "SoftQuantizer, POWER_OF_TWO, false",
        "SoftQuantizer, UNIFORM, false",
        "SoftQuantizer, UNIFORM, true",
        "STE, SYMMETRIC, false"
    })
    void trainingStartsAtTheRoundingOfTheCompensatedKernel(
            RoundingType type, QuantizationMethod method, boolean learned) {
        QuantizationPlan plan = plan(method);
        WeightQuantizer quantizer = plan.weights().get(1);
        int[] integers = integers(quantizer);
        QuantizationPlan started = plan.withStarts(starts(quantizer, integers));
        GradientPTQConfig config = GradientPTQConfig.builder()
                .setNEpochs(1)
                .optRoundingType(type)
                .optQuantizerParametersOverride(new QuantizerParametersOverride(learned, Map.of()))
                .build();

        RoundingTrainer trainer = new RoundingTrainer(GRAPH, started, config, LossWeights.equal(5), 10);

        QuantizedLayer layer = trainer.quantizedLayers().get(1);
        assertThat(layer.values()).isEqualTo(integers);
        assertThat(PlanBuilder.roundToNearest(GRAPH, started).get(1).values()).isEqualTo(integers);
        // What the student runs is near the grid, but off it, where roundings have gradients.
        float[] kernel = Arrays.copyOf(
                Arrays.copyOfRange(trainer.parameters().values(), offset(started), offset(started) + integers.length),
                integers.length);
        long[] shape = GRAPH.constants().get(WEIGHT).shape();
        float[] hard = quantizer.grid().dequantize(integers, shape);
        if (type == RoundingType.SoftQuantizer) {
            float largest = max(quantizer.grid().scale());
            assertThat(kernel).usingComparatorWithPrecision(0.2f * largest).containsExactly(hard);
            assertThat(kernel).isNotEqualTo(hard);
        }
    }

    @Test
    void theBiasIsNotCorrectedForARoundingThatIsNotDone() {
        QuantizationPlan plan = plan(QuantizationMethod.SYMMETRIC);
        WeightQuantizer quantizer = plan.weights().get(1);
        QuantizationPlan started = plan.withStarts(starts(quantizer, integers(quantizer)));
        GradientPTQConfig config = GradientPTQConfig.defaults(1);

        List<QuantizedLayer> trained =
                new RoundingTrainer(GRAPH, started, config, LossWeights.equal(5), 10).quantizedLayers();

        float[] bias = GRAPH.constants().get("conv2_bn.b").floats();
        assertThat(trained.get(1).bias()).containsExactly(bias);
        assertThat(PlanBuilder.roundToNearest(GRAPH, started).get(1).bias()).containsExactly(bias);
        assertThat((double) trained.get(0).bias()[0])
                .isCloseTo(
                        GRAPH.constants().get("conv1_bn.b").floats()[0]
                                - plan.weights().get(0).biasCorrection()[0],
                        within(1e-6));
    }

    @Test
    void neitherAStartNorItsGridIsMultipliedByTheFactorOfTheKernel() {
        WeightQuantizer plain = plan(QuantizationMethod.SYMMETRIC).weights().get(1);
        double[] factor = new double[plain.threshold().length];
        Arrays.fill(factor, 1.5);
        double[] threshold =
                Arrays.stream(plain.threshold()).map(value -> 1.5 * value).toArray();
        WeightQuantizer quantizer = new WeightQuantizer(
                plain.point(), plain.method(), plain.bits(), 0, threshold, null, null, null, factor);
        int[] integers = integers(plain);
        QuantizationPlan started =
                new QuantizationPlan(List.of(quantizer), List.of()).withStarts(starts(plain, integers));
        GradientPTQConfig config = GradientPTQConfig.defaults(1);

        RoundingTrainer trainer = new RoundingTrainer(GRAPH, started, config, LossWeights.equal(1), 10);

        assertThat(trainer.quantizedLayers().get(0).values()).isEqualTo(integers);
        assertThat(PlanBuilder.roundToNearest(GRAPH, started).get(0).values()).isEqualTo(integers);
    }

    @Test
    void startsAreNotInThePlansFile() {
        QuantizationPlan plan = plan(QuantizationMethod.SYMMETRIC);
        WeightQuantizer quantizer = plan.weights().get(1);
        QuantizationPlan started = plan.withStarts(starts(quantizer, integers(quantizer)));

        assertThat(started.toJson()).doesNotContain("\"starts\"");
        assertThat(QuantizationPlan.fromJson(started.toJson()).starts()).isEqualTo(StartingKernels.NONE);
    }

    private static QuantizationPlan plan(QuantizationMethod method) {
        List<WeightQuantizer> weights = M1.plan().weights().stream()
                .map(weight -> new WeightQuantizer(
                        weight.point(),
                        method,
                        weight.bits(),
                        0,
                        method == QuantizationMethod.UNIFORM ? null : weight.threshold(),
                        method == QuantizationMethod.UNIFORM ? negated(weight.threshold()) : null,
                        method == QuantizationMethod.UNIFORM ? weight.threshold() : null,
                        weight.biasCorrection()))
                .toList();
        return new QuantizationPlan(weights, M1.plan().activations());
    }

    private static double[] negated(double[] values) {
        return Arrays.stream(values).map(value -> -0.7 * value).toArray();
    }

    /** Every integer of the grid, over and over. */
    private static int[] integers(WeightQuantizer quantizer) {
        QuantizationGrid grid = quantizer.grid();
        int[] integers = new int[GRAPH.constants().get(WEIGHT).size()];
        for (int i = 0; i < integers.length; i++) {
            integers[i] = grid.minimum() + i * 7 % (grid.maximum() - grid.minimum() + 1);
        }
        return integers;
    }

    /** A sixth of a step above and below these integers. */
    private static StartingKernels starts(WeightQuantizer quantizer, int[] integers) {
        QuantizationGrid grid = quantizer.grid();
        TensorData kernel = GRAPH.constants().get(WEIGHT);
        float[] start = grid.dequantize(integers, kernel.shape());
        int perChannel = start.length / grid.scale().length;
        for (int i = 0; i < start.length; i++) {
            start[i] += (i % 2 == 0 ? 1 : -1) * grid.scale()[i / perChannel] / 6;
        }
        return new StartingKernels(Map.of(WEIGHT, TensorData.ofFloats(start, kernel.shape())));
    }

    private static int offset(QuantizationPlan plan) {
        return ParameterLayout.of(GRAPH, plan).layers().get(1).kernel().offset();
    }

    private static float max(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, value);
        }
        return largest;
    }
}
