package dev.gptq.calibrate;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ChannelStatisticsTest {
    @Test
    void meansRunOverAllOtherAxes() {
        float[] values = {1, 3, 10, 30, 5, 7, 50, 70};
        ChannelStatistics second = ChannelStatistics.of(values, new long[] {2, 2, 2}, 1);
        assertThat(second.mean()).containsExactly((1 + 3 + 5 + 7) / 4.0, (10 + 30 + 50 + 70) / 4.0);
        assertThat(second.min()).containsExactly(1, 10);
        assertThat(second.max()).containsExactly(7, 70);
        ChannelStatistics last = ChannelStatistics.of(values, new long[] {2, 2, 2}, 2);
        assertThat(last.mean()).containsExactly((1 + 10 + 5 + 50) / 4.0, (3 + 30 + 7 + 70) / 4.0);
    }

    @Test
    void samplesWeighTheSameWhateverTheirSizeOrBlock() {
        ChannelStatistics small = ChannelStatistics.of(new float[] {2}, new long[] {1, 1, 1}, 1);
        ChannelStatistics large = ChannelStatistics.of(new float[] {4, 6, 8, 10}, new long[] {1, 1, 4}, 1);
        assertThat(small.merge(large).mean()).containsExactly((2 + 7) / 2.0);
    }

    @Test
    void blocksOfUnequalSizeWeighByTheirSamplesOtherThanMctsMeanOfBatchMeans() {
        ChannelStatistics one = ChannelStatistics.of(new float[] {2}, new long[] {1, 1, 1}, 1);
        ChannelStatistics three = ChannelStatistics.of(new float[] {10, 11, 12}, new long[] {3, 1, 1}, 1);
        double meanOfBatchMeans = (2 + 11) / 2.0;
        assertThat(one.merge(three).mean()).containsExactly((2 + 10 + 11 + 12) / 4.0);
        assertThat(one.merge(three).mean()[0]).isNotEqualTo(meanOfBatchMeans);
    }

    @Test
    void anAxisWhoseLengthChangesIsNoChannelAxisWhateverTheOrderOfBlocks() {
        TensorStatistics two = tensor(1, 2);
        TensorStatistics three = tensor(1, 2, 3);

        assertThat(two.merge(two).channels().count()).isEqualTo(2);
        assertThat(two.merge(three).channels()).isNull();
        assertThat(two.merge(three).merge(two).channels()).isNull();
        assertThat(three.merge(two.merge(two)).channels()).isNull();
        assertThat(two.merge(three).histogram().total()).isEqualTo(5);
    }

    private static TensorStatistics tensor(float... values) {
        return new TensorStatistics(
                Histogram.of(values, values[0], values[values.length - 1]),
                ChannelStatistics.of(values, new long[] {1, values.length}, 1));
    }
}
