package dev.gptq.mixedprecision;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.LayerOverride;
import dev.gptq.config.MixedPrecisionConfig;
import dev.gptq.config.MixedPrecisionConfig.Budget;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.Graph;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.M1;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class BitSearchTest {
    /** Weights and multiplications per sample of m1's layers, 3x3 kernels on images of 28 and 14 pixels. */
    private static final long[] WEIGHTS = {9 * 16, 9 * 16 * 32, 9 * 32 * 64, 9 * 64 * 128, 1280};

    private static final int SAMPLES = 2;

    @Test
    void kernelsOfEqualNoiseGetBitsByTheirSize() {
        BitAssignment chosen = search(config(Budget.ofWeightsBits(3)), new double[] {1, 1, 1, 1, 1});

        long used = 0;
        for (int layer = 0; layer < WEIGHTS.length; layer++) {
            assertThat(chosen.layers().get(layer).weights()).isEqualTo(WEIGHTS[layer]);
            used += chosen.layers().get(layer).bits() * WEIGHTS[layer];
        }
        assertThat(used).isLessThanOrEqualTo(3 * Arrays.stream(WEIGHTS).sum());
        assertThat(chosen.layers()).extracting(BitAssignment.Layer::bits).containsExactly(8, 8, 4, 2, 8);
        assertThat(chosen.gap()).isZero();
        BitAssignment.BudgetUse budget = chosen.budget().get(0);
        assertThat(budget.name()).isEqualTo("weights_bits");
        assertThat(budget.used())
                .isEqualTo(used / (double) Arrays.stream(WEIGHTS).sum());
        assertThat(budget.least()).isEqualTo(2);
    }

    @Test
    void aNoisyLayerGetsMoreBitsAndAGivenOneKeepsItsOwn() {
        QuantizationConfig config = config(Budget.ofWeightsBits(4.5))
                .withLayers(List.of(LayerOverride.ofWeights("conv2*", LayerOverride.Values.ofBits(3))));

        BitAssignment chosen = search(config, new double[] {1, 1, 1e3, 1, 1});

        assertThat(chosen.layers().get(1).bits()).isEqualTo(3);
        assertThat(chosen.layers().get(1).candidates()).containsExactly(3);
        assertThat(chosen.layers().get(2).bits()).isEqualTo(8);
        assertThat(chosen.activations()).isEmpty();
    }

    @Test
    void bitOperationsCountTheBitsOfTheActivationInFrontOfTheKernel() {
        QuantizationConfig config = QuantizationConfig.defaults()
                .withMixedPrecision(MixedPrecisionConfig.builder()
                        .setBudget(new Budget(null, null, null, 0.375))
                        .optActivationsBits(List.of(4, 8))
                        .build());

        BitAssignment chosen = search(config, new double[] {1, 1, 1, 1, 1});

        // What each layer reads: the image, three activations behind Relu, and the pooled features.
        List<String> inputs = List.of("input", "relu1", "relu2", "relu3", "gap");
        double operations = 0;
        double reference = 0;
        for (int layer = 0; layer < inputs.size(); layer++) {
            String input = inputs.get(layer);
            int bits = chosen.activations().stream()
                    .filter(activation -> activation.name().equals(input))
                    .findFirst()
                    .orElseThrow()
                    .bits();
            long multiplications = chosen.layers().get(layer).multiplications();
            operations +=
                    (double) multiplications * bits * chosen.layers().get(layer).bits();
            reference += multiplications * 64.0;
        }
        assertThat(chosen.budget().get(0).used()).isEqualTo(operations / reference);
        assertThat(operations / reference).isLessThanOrEqualTo(0.375);
        assertThat(chosen.budget().get(0).least()).isEqualTo(2 * 4 / 64.0);
    }

    @Test
    void severalLimitsHoldAtOnce() {
        Budget budget = new Budget(40_000L, 5.0, 6.0, 0.5);
        QuantizationConfig config = QuantizationConfig.defaults()
                .withMixedPrecision(MixedPrecisionConfig.builder()
                        .setBudget(budget)
                        .optActivationsBits(List.of(4, 8))
                        .build());

        BitAssignment chosen = search(config, new double[] {5, 4, 3, 2, 1});

        assertThat(chosen.budget())
                .extracting(BitAssignment.BudgetUse::name)
                .containsExactly("size", "weights_bits", "activations_bits", "bit_operations");
        assertThat(chosen.budget()).allSatisfy(use -> assertThat(use.used()).isBetween(use.least(), use.limit()));
    }

    @Test
    void anImpossibleBudgetIsRefusedWithTheSmallestPossibleOne() {
        QuantizationConfig config = config(Budget.ofWeightsBits(1.5));
        long least = Arrays.stream(WEIGHTS).sum() * 2;

        assertThatThrownBy(() -> BitChoices.of(M1.graph(), config).requirePossible(M1.graph(), config.mixedPrecision()))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT))
                .hasMessageContainingAll("budget.weights_bits at 1.5", "the smallest possible is 2,");
        QuantizationConfig small = config(new Budget(10L, null, null, null));
        assertThatThrownBy(() -> BitChoices.of(M1.graph(), small).requirePossible(M1.graph(), small.mixedPrecision()))
                .hasMessageContaining("the smallest possible is " + (least + 7) / 8 + ",");
        QuantizationConfig slow = config(new Budget(null, null, null, 0.01));
        assertThatThrownBy(() -> search(slow, new double[] {1, 1, 1, 1, 1}))
                .hasMessageContainingAll("bit_operations at 0.01", "the smallest possible is 0.25");
    }

    @Test
    void layersThatNoGradientReachesCannotBeMeasuredByTheHessian() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 4, 8)
                .weight("w1", 8, 8)
                .weight("w2", 8, 3)
                .longs("k", 4)
                .node("MatMul", "x w1", "first")
                .node("TopK", "first k", "top indices")
                .node("Concat", "top top", "joined", "axis", -1)
                .node("MatMul", "joined w2", "out")
                .build();
        MixedPrecisionConfig byHessian = config(Budget.ofWeightsBits(4)).mixedPrecision();
        MixedPrecisionConfig byError = MixedPrecisionConfig.builder()
                .setBudget(byHessian.budget())
                .optSensitivity(MixedPrecisionConfig.Sensitivity.OUTPUT_ERROR)
                .build();
        BitChoices choices = BitChoices.of(graph, QuantizationConfig.defaults().withMixedPrecision(byHessian));

        assertThatThrownBy(() -> choices.requirePossible(graph, byHessian))
                .hasMessageContainingAll("sensitivity of first by the Hessian", "output_error");
        choices.requirePossible(graph, byError);
    }

    @Test
    void theChosenBitsComeBackFromJsonAndAsConfiguration() {
        QuantizationConfig config = config(Budget.ofWeightsBits(3));
        BitAssignment chosen = search(config, new double[] {1, 2, 3, 4, 5});

        BitAssignment read = BitAssignment.fromJson(chosen.toJson());
        assertThat(read.toJson()).isEqualTo(chosen.toJson());
        QuantizationConfig applied = read.apply(config);
        assertThat(applied.mixedPrecision()).isNull();
        chosen.layers().forEach(layer -> assertThat(
                        applied.weightsOf(layer.name(), false).bits())
                .isEqualTo(layer.bits()));
    }

    @Test
    void aNameThatIsAPatternDoesNotChangeTheLayersItMatches() {
        BitAssignment chosen = new BitAssignment(
                "hessian", 1, 0, 0, 0, List.of(), List.of(layer("ab", 2), layer("a*", 4), layer("a?", 8)), List.of());

        QuantizationConfig applied = chosen.apply(QuantizationConfig.defaults());

        assertThat(applied.weightsOf("ab", false).bits()).isEqualTo(2);
    }

    private static BitAssignment.Layer layer(String name, int bits) {
        return new BitAssignment.Layer(name, bits, 1, 1, List.of(2, 4, 8), new double[3]);
    }

    private static QuantizationConfig config(Budget budget) {
        return QuantizationConfig.defaults()
                .withMixedPrecision(
                        MixedPrecisionConfig.builder().setBudget(budget).build());
    }

    /** Searches with noise that falls by four with each bit, from {@code levels} at 0 bits. */
    private static BitAssignment search(QuantizationConfig config, double[] levels) {
        BitChoices choices = BitChoices.of(M1.graph(), config);
        double[][] kernels = new double[levels.length][];
        for (int layer = 0; layer < levels.length; layer++) {
            double level = levels[layer];
            kernels[layer] = choices.kernels().get(layer).bits().stream()
                    .mapToDouble(bits -> level * Math.pow(4, -bits))
                    .toArray();
        }
        double[][] activations = choices.activations().stream()
                .map(activation -> activation.isChosen()
                        ? activation.bits().stream()
                                .mapToDouble(bits -> Math.pow(4, -bits))
                                .toArray()
                        : new double[0])
                .toArray(double[][]::new);
        long[] multiplications = {
            SAMPLES * WEIGHTS[0] * 784,
            SAMPLES * WEIGHTS[1] * 196,
            SAMPLES * WEIGHTS[2] * 196,
            SAMPLES * WEIGHTS[3] * 49,
            SAMPLES * WEIGHTS[4]
        };
        long[] values = new long[activations.length];
        Arrays.fill(values, 100 * SAMPLES);
        return BitSearch.search(
                choices,
                new SensitivitySums(SAMPLES, 1, kernels, activations, multiplications, values),
                config.mixedPrecision());
    }
}
