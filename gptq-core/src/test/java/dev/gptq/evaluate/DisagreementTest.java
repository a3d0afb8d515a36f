package dev.gptq.evaluate;

import dev.gptq.graph.SampleBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class DisagreementTest {
    @Test
    void samplesOfAnotherClassComeBeforeThoseWithMoreNoise() {
        SampleBatch batch = new SampleBatch(100, 3, Map.of(), new long[] {0, 1, 1});
        Map<String, ModelOutput> reference = Map.of("y", classes(3, 4, 0, 1, 1, 2));
        Map<String, ModelOutput> quantized = Map.of("y", classes(3, 8, 0, 1, 2.1, 2));

        List<Disagreement> worst = Disagreement.worst(batch, reference, quantized);

        assertThat(worst).extracting(Disagreement::sample).containsExactly(102L, 100L, 101L);
        assertThat(worst.get(0).changesClass()).isTrue();
        assertThat(worst.get(0).floatClass()).isEqualTo(1);
        assertThat(worst.get(0).quantizedClass()).isZero();
        assertThat(worst.get(0).label()).isEqualTo(1);
        assertThat(worst.get(1).relativeNoise()).isEqualTo(16.0 / 25);
        assertThat(worst.get(2).relativeNoise()).isZero();
    }

    @Test
    void outputsThatAreNoClassesAreComparedByTheirNoise() {
        SampleBatch batch = new SampleBatch(0, 2, Map.of(), null);
        ModelOutput reference = new ModelOutput(new long[] {2, 1}, new double[] {2, 2}, true);
        ModelOutput quantized = new ModelOutput(new long[] {2, 1}, new double[] {2, 3}, true);

        List<Disagreement> worst = Disagreement.worst(batch, Map.of("y", reference), Map.of("y", quantized));

        assertThat(worst)
                .containsExactly(new Disagreement(1, 0.25, null, null, null), new Disagreement(0, 0, null, null, null));
    }

    @Test
    void mergingKeepsTheWorstInWhateverOrderTheyCome() {
        Random random = new Random(3);
        List<Disagreement> all = new ArrayList<>();
        for (int sample = 0; sample < 100; sample++) {
            all.add(new Disagreement(sample, random.nextInt(20) / 20.0, 1, random.nextInt(10) == 0 ? 0 : 1, null));
        }
        List<Disagreement> first = Disagreement.merge(all.subList(0, 30), all.subList(30, 60));
        List<Disagreement> second = Disagreement.merge(all.subList(60, 100), List.of());

        List<Disagreement> worst = Disagreement.merge(first, second);

        assertThat(worst).hasSize(Disagreement.KEPT).isEqualTo(Disagreement.merge(second, first));
        assertThat(worst).isEqualTo(Disagreement.merge(all, List.of()));
    }

    private static ModelOutput classes(double... values) {
        return new ModelOutput(new long[] {values.length / 2, 2}, values, true);
    }
}
