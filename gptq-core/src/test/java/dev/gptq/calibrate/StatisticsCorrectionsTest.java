package dev.gptq.calibrate;

import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import java.util.List;
import org.junit.jupiter.api.Test;

import static dev.gptq.testing.Closeness.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

/** Softmax shift, thresholds of concatenations, and the plan that remembers corrections. */
class StatisticsCorrectionsTest {
    private static final QuantizationConfig SOFTMAX_SHIFT = Corrected.activations(4)
            .withPreparation(PreparationConfig.builder().optSoftmaxShift(true).build());
    private static final QuantizationConfig CONCAT_UPDATE = Corrected.activations(4)
            .withPreparation(
                    PreparationConfig.builder().optConcatThresholdUpdate(true).build());
    private static final TensorData ROWS = Corrected.samples(0.5f, 64, 6);

    /** Logits around 12: the values lie in the upper half of a grid that begins at zero. */
    private static GraphBuilder logits() {
        return new GraphBuilder(14)
                .input("x", -1, 6)
                .weight("w", 6, 5)
                .constant("b", TensorData.ofFloats(new float[] {12, 12.5f, 11.5f, 13, 12}, 5))
                .node("Gemm", "x w b", "logits");
    }

    private static Graph classifier() {
        return logits().node("Softmax", "logits", "out", "axis", -1).build();
    }

    @Test
    void theSoftmaxShiftCentresLogitsAndKeepsProbabilities() {
        Corrected corrected = Corrected.of(classifier(), ROWS, SOFTMAX_SHIFT);

        Histogram logits = corrected.statistics().activations().get("logits").histogram();
        float shift = corrected.plan().corrections().get(0).shift();
        assertThat(shift).isEqualTo(-(logits.max() + logits.min()) / 2);
        float[] before = corrected.prepared().constants().get("b").floats();
        float[] after = corrected.graph().constants().get("b").floats();
        for (int channel = 0; channel < before.length; channel++) {
            assertThat(after[channel]).isCloseTo(before[channel] + shift, offset(1e-6f));
        }
        assertThat(ComparePoints.of(corrected.graph())).isEqualTo(ComparePoints.of(corrected.prepared()));
        assertClose(corrected.correctedOutput(), corrected.floatOutput(), 1e-5);
    }

    @Test
    void centredLogitsGetAFinerGridAndBetterProbabilities() {
        Corrected corrected = Corrected.of(classifier(), ROWS, SOFTMAX_SHIFT);
        TensorData expected = corrected.floatOutput();

        double stepBefore = corrected.quantizerBefore("logits").grid().scale()[0];
        assertThat((double) corrected.quantizer("logits").grid().scale()[0]).isLessThan(stepBefore);
        double without = Corrected.squaredError(corrected.studentOutputWithoutCorrection(), expected);
        assertThat(Corrected.squaredError(corrected.studentOutput(), expected)).isLessThan(0.75 * without);
    }

    @Test
    void theExportedModelHoldsTheCentredLogits() {
        Corrected corrected = Corrected.of(classifier(), ROWS, SOFTMAX_SHIFT);

        assertClose(corrected.exportedOutput(), corrected.studentOutput(), 1e-5);
    }

    @Test
    void logitsThatAnythingElseReadsAreNotShifted() {
        Graph alsoOutput = logits().node("Softmax", "logits", "out", "axis", -1)
                .output("logits", ElementType.FLOAT32)
                .output("out", ElementType.FLOAT32)
                .build();
        Graph activated = logits().node("Relu", "logits", "positive")
                .node("Softmax", "positive", "out", "axis", -1)
                .build();

        assertUnchanged(Corrected.of(alsoOutput, ROWS, SOFTMAX_SHIFT));
        assertUnchanged(Corrected.of(activated, ROWS, SOFTMAX_SHIFT));
        assertUnchanged(Corrected.of(classifier(), ROWS, Corrected.activations(4)));
    }

    /** Two activations of different size, the smaller one with a threshold of its own. */
    private static GraphBuilder branches() {
        return new GraphBuilder(14)
                .input("x", -1, 6)
                .constant("w1", Corrected.samples(3, 6, 8))
                .weight("b1", 8)
                .constant("w2", Corrected.samples(0.6f, 6, 8))
                .weight("b2", 8)
                .node("Gemm", "x w1 b1", "large")
                .node("Gemm", "x w2 b2", "small");
    }

    private static Graph joined() {
        return branches().node("Concat", "large small", "out", "axis", 1).build();
    }

    @Test
    void inputsOfAConcatenationGetItsThresholdAndKeepTheirSign() {
        Corrected corrected = Corrected.of(joined(), ROWS, CONCAT_UPDATE);

        double threshold = corrected.quantizerBefore("out").threshold();
        ActivationQuantizer before = corrected.quantizerBefore("small");
        assertThat(before.threshold()).isLessThan(threshold);
        assertThat(corrected.quantizer("small"))
                .isEqualTo(new ActivationQuantizer(
                        "small", before.method(), before.bits(), before.signed(), threshold, 0, 0));
        assertThat(corrected.quantizer("large").threshold()).isEqualTo(threshold);
        assertThat(corrected.quantizer("out")).isEqualTo(corrected.quantizerBefore("out"));
        assertThat(corrected.graph()).isSameAs(corrected.prepared());
    }

    @Test
    void roundingOnceIsBetterThanRoundingTwice() {
        Corrected corrected = Corrected.of(joined(), ROWS, CONCAT_UPDATE).withUnquantized("x");
        TensorData expected = corrected.floatOutput();

        double twice = Corrected.squaredError(corrected.studentOutputWithoutCorrection(), expected);
        assertThat(Corrected.squaredError(corrected.studentOutput(), expected)).isLessThan(0.95 * twice);
    }

    @Test
    void theExportedConcatenationAgreesWithTheStudent() {
        Corrected corrected = Corrected.of(joined(), ROWS, CONCAT_UPDATE);

        assertClose(corrected.exportedOutput(), corrected.studentOutput(), 1e-6);
    }

    @Test
    void inputsWithOtherReadersUniformGridsAndConcatenationsKeepTheirThresholds() {
        Graph readTwice = branches()
                .node("Concat", "small small", "joined", "axis", 1)
                .node("Add", "joined joined", "sum")
                .node("Concat", "sum joined large", "out", "axis", 1)
                .build();
        Corrected corrected = Corrected.of(readTwice, ROWS, CONCAT_UPDATE);
        List<ActivationQuantizer> changed = corrected.plan().activations().stream()
                .filter(quantizer -> !corrected.before().activations().contains(quantizer))
                .toList();
        assertThat(changed).extracting(ActivationQuantizer::tensor).isSubsetOf("large", "sum");
        assertThat(corrected.quantizerBefore("small").threshold())
                .isNotEqualTo(corrected.quantizerBefore("out").threshold());

        QuantizationConfig uniform =
                Corrected.activations(4, QuantizationMethod.UNIFORM, null).withPreparation(CONCAT_UPDATE.preparation());
        assertUnchanged(Corrected.of(joined(), ROWS, uniform));
        assertUnchanged(Corrected.of(joined(), ROWS, Corrected.activations(4)));
    }

    @Test
    void thePlanRemembersItsCorrectionsAsJson() {
        QuantizationPlan plan = Corrected.of(classifier(), ROWS, SOFTMAX_SHIFT).plan();

        QuantizationPlan read = QuantizationPlan.fromJson(plan.toJson());

        assertThat(read.corrections()).isEqualTo(plan.corrections()).hasSize(1);
    }

    @Test
    void aPlanFileWithoutCorrectionsStillReads() {
        assertThat(QuantizationPlan.fromJson("{\"weights\": [], \"activations\": []}")
                        .corrections())
                .isEmpty();
    }

    private static void assertUnchanged(Corrected corrected) {
        assertThat(corrected.graph()).isSameAs(corrected.prepared());
        assertThat(corrected.plan()).isEqualTo(corrected.before());
    }
}
