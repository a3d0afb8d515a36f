package dev.gptq.evaluate;

import dev.gptq.GptqException;
import dev.gptq.graph.SampleBatch;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

class BlockMetricsTest {
    private static final OutputSums NOTHING = new OutputSums(0, 0, 0, 0, 0);
    private static final SampleBatch TWO = new SampleBatch(0, 2, Map.of(), new long[] {1, 0});

    @Test
    void topOneCountsLabelsAndTiesGoToTheFirst() {
        ModelOutput output = classes(0, 1, 5, 5);

        assertThat(OutputComparison.correct(TWO, output)).isEqualTo(2);
    }

    @Test
    void agreementCosineAndNoiseFollowTheirDefinitions() {
        Map<String, ModelOutput> reference = Map.of("y", classes(3, 4, 1, 0));
        Map<String, ModelOutput> quantized = Map.of("y", classes(4, 3, 2, 0));

        OutputSums sums = OutputComparison.compare(TWO, reference, quantized);

        assertThat(sums.agreed()).isEqualTo(1);
        assertThat(sums.correct()).isEqualTo(1);
        assertThat(sums.signal()).isEqualTo(9 + 16 + 1);
        assertThat(sums.noise()).isEqualTo(1 + 1 + 1);
        assertThat(sums.cosine()).isEqualTo(24.0 / 25 + 1, within(1e-12));
    }

    @Test
    void allOutputsOfASampleAreOneVector() {
        Map<String, ModelOutput> reference = new LinkedHashMap<>();
        reference.put("a", classes(1, 0, 0, 1));
        reference.put("b", new ModelOutput(new long[] {2, 1}, new double[] {1, 1}, true));
        Map<String, ModelOutput> quantized = new LinkedHashMap<>();
        quantized.put("a", classes(1, 0, 0, 1));
        quantized.put("b", new ModelOutput(new long[] {2, 1}, new double[] {-1, 1}, true));

        OutputSums sums = OutputComparison.compare(TWO, reference, quantized);

        assertThat(sums.cosine()).isEqualTo(0.0 + 1, within(1e-12));
        assertThat(sums.signal()).isEqualTo(4);
        assertThat(sums.noise()).isEqualTo(4);
    }

    @Test
    void mergedSumsGiveTheMetricsOfAllSamples() {
        BlockMetrics first = block(2, true, 2, new OutputSums(1, 2, 10, 1, 1.5));
        BlockMetrics second = block(6, true, 3, new OutputSums(3, 4, 30, 3, 4.5));

        BlockMetrics merged = first.merge(second);

        assertThat(merged.samples()).isEqualTo(8);
        assertThat(merged.floatTop1()).isEqualTo(5.0 / 8);
        assertThat(merged.ptq().top1()).isEqualTo(4.0 / 8);
        assertThat(merged.ptq().agreement()).isEqualTo(6.0 / 8);
        assertThat(merged.ptq().cosine()).isEqualTo(6.0 / 8);
        assertThat(merged.ptq().sqnrDb()).isEqualTo(10, within(1e-12));
        assertThat(merged.sqnrPtqDb(0)).isEqualTo(20, within(1e-12));
        assertThat(merged.sqnrGptqDb(0)).isEqualTo(30, within(1e-12));
    }

    @Test
    void withoutLabelsThereIsNoTopOne() {
        BlockMetrics merged = block(2, true, 2, NOTHING).merge(block(2, false, 0, NOTHING));

        assertThat(merged.floatTop1()).isNull();
        assertThat(merged.ptq().top1()).isNull();
        assertThat(merged.ptq().agreement()).isNotNull();
    }

    @Test
    void identicalOutputsHaveTheCeilingInsteadOfInfinity() {
        assertThat(Sqnr.decibels(5, 0)).isEqualTo(200);
        assertThat(Sqnr.decibels(0, 5)).isEqualTo(-200);
        assertThat(Sqnr.decibels(100, 1)).isEqualTo(20, within(1e-12));
        assertThat(Sqnr.decibels(Double.POSITIVE_INFINITY, 1)).isNaN();
    }

    @Test
    void aMissingOutputIsNamed() {
        assertThatThrownBy(() -> OutputComparison.compare(TWO, Map.of("y", classes(1, 2, 3, 4)), Map.of()))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("'y'");
    }

    private static BlockMetrics block(long samples, boolean labelled, long floatCorrect, OutputSums sums) {
        double[] one = {samples};
        return new BlockMetrics(
                samples,
                labelled,
                true,
                floatCorrect,
                sums,
                sums,
                one,
                new double[] {samples / 100.0},
                new double[] {samples / 1000.0},
                new EngineAgreement(samples, samples, 10 * samples, 9 * samples),
                List.of());
    }

    private static ModelOutput classes(double... values) {
        return new ModelOutput(new long[] {2, 2}, values, true);
    }
}
