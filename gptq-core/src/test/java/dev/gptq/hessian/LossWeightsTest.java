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
        LossWeights weights = LossWeights.reduce(
                raw,
                raw[0].length,
                new GPTQHessianScoresConfig(false, 32, norm == 1, log == 1, log == 1 && scale == 1, 32));
        assertThat(weights.perSample()).isNull();
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
    void attentionKeepsEverySampleAndRegularizesByTheMean() {
        double[][] raw = matrix("raw_A");
        LossWeights weights =
                LossWeights.reduce(raw, raw[0].length, new GPTQHessianScoresConfig(true, null, null, null, false, 32));
        for (int layer = 0; layer < raw[0].length; layer++) {
            int column = layer;
            double mean =
                    Arrays.stream(raw).mapToDouble(row -> row[column]).average().orElseThrow();
            assertThat(weights.regularizer()[layer]).isEqualTo((float) mean);
            assertThat(weights.perSample()[7][layer]).isEqualTo((float) raw[7][layer]);
        }
    }

    @Test
    void theDenominatorIsTheLargestMeanOfTheGivenSamples() {
        double[][] raw = {{1, 8}, {3, 0}, {100, 100}};
        LossWeights weights =
                LossWeights.reduce(raw, 2, new GPTQHessianScoresConfig(true, null, null, null, false, 32));
        assertThat(weights.attentionDenominator(new long[] {0, 1})).isEqualTo(4);
        assertThat(weights.attentionDenominator(new long[] {1})).isEqualTo(3);
    }

    @Test
    void withoutHessianEveryLayerWeighsTheSame() {
        LossWeights weights = LossWeights.reduce(new double[0][], 4, null);
        assertThat(weights.perLayer()).containsExactly(0.25f, 0.25f, 0.25f, 0.25f);
        assertThat(weights.regularizer()).containsOnly(1f);
        assertThat(weights.attentionDenominator(new long[] {0})).isEqualTo(1);
    }

    /** MCT replaces a zero mean by the second smallest, which with two zeros is zero again: log10(0). */
    @Test
    void severalZeroMeansCountAsTheSmallestOther() {
        GPTQHessianScoresConfig logNorm = new GPTQHessianScoresConfig(false, 32, false, true, false, 32);
        LossWeights weights = LossWeights.reduce(new double[][] {{0, 100, 0, 1}}, 4, logNorm);
        assertThat(weights.perLayer()).containsExactly(0, 2, 0, 0);
    }

    /** The differences that all layers' means have from the smallest are zero in MCT, and scaled they are 0 / 0. */
    @Test
    void layersOfEqualMeansKeepTheirLoss() {
        for (boolean scale : new boolean[] {false, true}) {
            GPTQHessianScoresConfig logNorm = new GPTQHessianScoresConfig(false, 32, false, true, scale, 32);
            assertThat(LossWeights.reduce(new double[][] {{3, 3}}, 2, logNorm).perLayer())
                    .containsExactly(1, 1);
        }
    }

    /** MCT would divide by zero. */
    @Test
    void samplesWithoutAnyScoreDivideByOne() {
        LossWeights weights =
                LossWeights.reduce(new double[][] {{0, 0}}, 2, GPTQHessianScoresConfig.perSampleDefaults());
        assertThat(weights.attentionDenominator(new long[] {0})).isEqualTo(1);
    }

    @Test
    void aSingleLayerKeepsItsLoss() {
        LossWeights weights = LossWeights.reduce(
                new double[][] {{5}, {6}}, 1, new GPTQHessianScoresConfig(false, 32, null, null, true, 32));
        assertThat(weights.perLayer()).containsExactly(1f);
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
