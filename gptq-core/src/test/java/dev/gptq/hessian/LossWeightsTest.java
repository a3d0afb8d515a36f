package dev.gptq.hessian;

import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.testing.Npz;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class LossWeightsTest {
    private static final Npz ORACLE = Npz.resource("/oracle/loss_weights.npz");
    private static final double TOLERANCE = 1e-5;

    @ParameterizedTest
    @CsvSource({
        "A, 1, 1, 1", "A, 1, 1, 0", "A, 1, 0, 1", "A, 1, 0, 0", "A, 0, 1, 1", "A, 0, 1, 0", "A, 0, 0, 1", "A, 0, 0, 0",
        "B, 1, 1, 1", "B, 1, 1, 0", "B, 1, 0, 1", "B, 1, 0, 0", "B, 0, 1, 1", "B, 0, 1, 0", "B, 0, 0, 1", "B, 0, 0, 0"
    })
    void layerWeightsEqualMcts(String scores, int norm, int log, int scale) {
        double[][] raw = matrix("raw_" + scores);
        double[] expected = ORACLE.doubles(scores + "|norm" + norm + "|log" + log + "|scale" + scale);
        // MCT ignores scale_log_norm without log_norm; the configuration refuses that combination.
        LossWeights weights =
                reduce(raw, new GPTQHessianScoresConfig(false, 32, norm == 1, log == 1, log == 1 && scale == 1, 32));
        assertThat(weights.perLayer()).hasSize(expected.length);
        for (int layer = 0; layer < expected.length; layer++) {
            assertThat((double) weights.perLayer()[layer])
                    .isCloseTo(
                            expected[layer],
                            org.assertj.core.data.Offset.offset(TOLERANCE * Math.max(1, Math.abs(expected[layer]))));
        }
        assertThat(weights.regularizer()).containsOnly(1f);
    }

    @Test
    void attentionRegularizesByTheMean() {
        double[][] raw = matrix("raw_A");
        LossWeights weights = reduce(raw, new GPTQHessianScoresConfig(true, null, null, null, false, 32));
        for (int layer = 0; layer < raw[0].length; layer++) {
            int column = layer;
            double mean =
                    Arrays.stream(raw).mapToDouble(row -> row[column]).average().orElseThrow();
            assertThat(weights.regularizer()[layer]).isEqualTo((float) mean);
            assertThat(weights.perLayer()[layer]).isEqualTo((float) mean);
        }
    }

    @Test
    void withoutHessianEveryLayerWeighsTheSame() {
        LossWeights weights = LossWeights.equal(4);
        assertThat(weights.perLayer()).containsExactly(0.25f, 0.25f, 0.25f, 0.25f);
        assertThat(weights.regularizer()).containsOnly(1f);
    }

    /** MCT replaces a zero mean by the second smallest, which with two zeros is zero again: log10(0). */
    @Test
    void severalZeroMeansCountAsTheSmallestOther() {
        GPTQHessianScoresConfig logNorm = new GPTQHessianScoresConfig(false, 32, false, true, false, 32);
        LossWeights weights = reduce(new double[][] {{0, 100, 0, 1}}, logNorm);
        assertThat(weights.perLayer()).containsExactly(0, 2, 0, 0);
    }

    /** The differences that all layers' means have from the smallest are zero in MCT, and scaled they are 0 / 0. */
    @Test
    void layersOfEqualMeansKeepTheirLoss() {
        for (boolean scale : new boolean[] {false, true}) {
            GPTQHessianScoresConfig logNorm = new GPTQHessianScoresConfig(false, 32, false, true, scale, 32);
            assertThat(reduce(new double[][] {{3, 3}}, logNorm).perLayer()).containsExactly(1, 1);
        }
    }

    /** What blocks add up to does not depend on where they are cut, but for rounding. */
    @Test
    void blocksAddUpToTheWeightsOfAllSamples() {
        double[][] raw = matrix("raw_B");
        GPTQHessianScoresConfig config = GPTQHessianScoresConfig.perLayerDefaults();
        ScoreSums sums = ScoreSums.of(Arrays.copyOf(raw, 3), config)
                .merge(ScoreSums.of(Arrays.copyOfRange(raw, 3, raw.length), config));
        assertThat(sums.samples()).isEqualTo(raw.length);
        assertThat(LossWeights.of(sums, config).perLayer())
                .usingComparatorWithPrecision(1e-6f)
                .containsExactly(reduce(raw, config).perLayer());
    }

    @Test
    void aSingleLayerKeepsItsLoss() {
        LossWeights weights =
                reduce(new double[][] {{5}, {6}}, new GPTQHessianScoresConfig(false, 32, null, null, true, 32));
        assertThat(weights.perLayer()).containsExactly(1f);
    }

    private static LossWeights reduce(double[][] scores, GPTQHessianScoresConfig config) {
        return LossWeights.of(ScoreSums.of(scores, config), config);
    }

    private static double[][] matrix(String key) {
        double[] values = ORACLE.doubles(key);
        int columns = (int) ORACLE.shape(key)[1];
        double[][] matrix = new double[values.length / columns][];
        for (int row = 0; row < matrix.length; row++) {
            matrix[row] = Arrays.copyOfRange(values, row * columns, (row + 1) * columns);
        }
        return matrix;
    }
}
