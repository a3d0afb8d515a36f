package dev.gptq.train;

import dev.gptq.graph.SampleBatch;
import dev.gptq.testing.InMemory;
import dev.gptq.train.StepBatches.Range;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class MicroBatchTest {
    private static final StepBatches STEP = new StepBatches(7, List.of(new Range(2, 2), new Range(0, 1)));

    @Test
    void aLaneGetsItsOwnSamplesAndWeightsAndTheDenominatorOfTheWholeStep() {
        TrainingData data =
                InMemory.attention(MicroBatchTest::samples, new double[][] {{6, 0}, {100, 100}, {1, 7}, {2, 8}});
        MicroBatch first = MicroBatch.of(STEP, 0, data);
        MicroBatch second = MicroBatch.of(STEP, 1, data);
        assertThat(first.samples().firstIndex()).isEqualTo(2);
        assertThat(first.sampleWeights()).isDeepEqualTo(new float[][] {{1, 7}, {2, 8}});
        assertThat(second.sampleWeights()).isDeepEqualTo(new float[][] {{6, 0}});
        assertThat(first.globalBatchSize()).isEqualTo(3).isEqualTo(second.globalBatchSize());
        // Layer 0: (1 + 2 + 6) / 3; layer 1: (7 + 8 + 0) / 3.
        assertThat(first.attentionDenominator()).isEqualTo(5).isEqualTo(second.attentionDenominator());
        assertThat(first.teacherEnergies()).isNull();
    }

    /** MCT would divide by zero. */
    @Test
    void samplesWithoutAnyScoreDivideByOne() {
        TrainingData data = InMemory.attention(MicroBatchTest::samples, new double[4][2]);
        assertThat(MicroBatch.of(STEP, 0, data).attentionDenominator()).isEqualTo(1);
    }

    @Test
    void everyLaneGetsTheEnergiesOfTheWholeStep() {
        TrainingData data = new TrainingData() {
            @Override
            public SampleBatch samples(Range range) {
                return MicroBatchTest.samples(range.first(), range.size());
            }

            @Override
            public float[][] attention(Range range) {
                return null;
            }

            @Override
            public double[] teacherEnergies(Range microBatch) {
                return new double[] {microBatch.first() + 1, 10};
            }
        };
        for (int lane = 0; lane < 2; lane++) {
            MicroBatch batch = MicroBatch.of(STEP, lane, data);
            assertThat(batch.teacherEnergies()).containsExactly(4, 20);
            assertThat(batch.attentionDenominator()).isEqualTo(1);
            assertThat(batch.sampleWeights()).isNull();
        }
    }

    private static SampleBatch samples(long first, int size) {
        return new SampleBatch(first, size, Map.of(), null);
    }
}
