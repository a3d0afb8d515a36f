package dev.gptq.hessian;

import ai.djl.Device;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.testing.CalibrationImages;
import dev.gptq.testing.M1;
import dev.gptq.testing.Npz;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Scores by random sign vectors, this project's and MCT's, against the exact expectation.
 *
 * <p>A score is the mean over n vectors v of v' M v, where M = J J' is the Gram matrix of the m outputs' gradients (of one
 * channel or of a whole tensor): its expectation is tr M, and for independent signs Var(v' M v) = 2 sum_(i != k) M_ik^2. M
 * is positive semidefinite, so sum_ik M_ik^2 is at most (tr M)^2, of which at least (tr M)^2 / m lies on the diagonal. Hence
 * the standard error of a score relative to its expectation is at most sqrt(2 (1 - 1/m) / n); samples are independent.
 */
class HessianSamplingErrorTest {
    private static final Npz ORACLE = Npz.resource("/oracle/m1_hessian.npz");
    private static final GPTQHessianScoresConfig ATTENTION = GPTQHessianScoresConfig.perSampleDefaults();
    private static final int OUTPUTS = 10;
    private static final int SAMPLES = 32;
    /** Of the mean over samples, which is close to normal. */
    private static final double SIGMAS_OF_MEAN = 4;
    /** Of single scores, whose distribution has a longer tail. */
    private static final double SIGMAS_OF_ONE = 7;

    private static GraphExecutor model;
    private static double[][][] exact;

    @BeforeAll
    static void scoreExactly() {
        model = new GraphExecutor(M1.graph(), Device.cpu());
        exact = new HessianScorer(model, ATTENTION, 0).channelScores(CalibrationImages.batch(0, SAMPLES));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @ParameterizedTest
    @CsvSource({"0", "20261125"})
    void randomVectorsAreWithinTheirSamplingErrorOfTheExpectation(long seed) {
        HessianScorer random = new HessianScorer(model, ATTENTION, seed, 0);
        double[][][] scores = random.channelScores(CalibrationImages.batch(0, SAMPLES / 2));
        for (int layer = 0; layer < M1.LAYERS.size(); layer++) {
            checkChannels(scores[layer], layer, OutputPasses.ITERATIONS);
            checkTensors(sums(scores[layer]), layer, OutputPasses.ITERATIONS);
        }
        assertThat(Arrays.deepEquals(scores[0], exact[0])).isFalse();
    }

    /** Per tensor, scoring may stop once the batch's means settle, but never before the eleventh vector. */
    @Test
    void stoppingEarlyKeepsTheSamplingErrorOfTheVectorsThatWereDrawn() {
        GPTQHessianScoresConfig perTensor = new GPTQHessianScoresConfig(false, SAMPLES, null, null, false, SAMPLES);
        double[][] expected = new HessianScorer(model, perTensor, 0).score(CalibrationImages.batch(0, SAMPLES));
        double[][] scores = new HessianScorer(model, perTensor, 0, 0).score(CalibrationImages.batch(0, SAMPLES));
        for (int layer = 0; layer < M1.LAYERS.size(); layer++) {
            double ratio = 0;
            for (int sample = 0; sample < SAMPLES; sample++) {
                ratio += scores[sample][layer] / expected[sample][layer] / SAMPLES;
            }
            assertThat(Math.abs(ratio - 1))
                    .isLessThanOrEqualTo(SIGMAS_OF_MEAN * standardError(11) / Math.sqrt(SAMPLES));
        }
    }

    @ParameterizedTest
    @CsvSource({"it100_n32, 100", "it2000_n16, 2000"})
    void mctsEstimatesAreWithinTheirSamplingErrorOfOurExpectation(String tag, int vectors) {
        for (int layer = 0; layer < M1.LAYERS.size(); layer++) {
            String name = tag + "|" + M1.LAYERS.get(layer);
            checkChannels(rows("channel|" + name), layer, vectors);
            double[] tensors = ORACLE.doubles("tensor|" + name);
            // Sums over all elements; dividing by the elements of a channel makes them sums of channel means.
            double elements = ORACLE.doubles("tensor|exact|" + M1.LAYERS.get(layer))[0] / sums(exact[layer])[0];
            checkTensors(Arrays.stream(tensors).map(score -> score / elements).toArray(), layer, vectors);
        }
    }

    private static void checkChannels(double[][] scores, int layer, int vectors) {
        double bound = SIGMAS_OF_ONE * standardError(vectors);
        double squares = 0;
        int counted = 0;
        for (int sample = 0; sample < scores.length; sample++) {
            for (int channel = 0; channel < scores[sample].length; channel++) {
                double expected = exact[layer][sample][channel];
                double error = scores[sample][channel] - expected;
                assertThat(Math.abs(error))
                        .as("%s, sample %d, channel %d", M1.LAYERS.get(layer), sample, channel)
                        .isLessThanOrEqualTo(bound * expected + 1e-9);
                if (expected > 0) {
                    squares += error * error / (expected * expected);
                    counted++;
                }
            }
        }
        assertThat(Math.sqrt(squares / counted)).isLessThanOrEqualTo(1.1 * standardError(vectors));
    }

    private static void checkTensors(double[] scores, int layer, int vectors) {
        double[] expected = sums(exact[layer]);
        double ratio = 0;
        for (int sample = 0; sample < scores.length; sample++) {
            double relative = scores[sample] / expected[sample];
            ratio += relative / scores.length;
            assertThat(Math.abs(relative - 1)).isLessThanOrEqualTo(SIGMAS_OF_ONE * standardError(vectors));
        }
        // A bias would show here: the mean's error is smaller by the root of the number of samples.
        assertThat(Math.abs(ratio - 1))
                .as("mean over samples of %s", M1.LAYERS.get(layer))
                .isLessThanOrEqualTo(SIGMAS_OF_MEAN * standardError(vectors) / Math.sqrt(scores.length));
    }

    private static double standardError(int vectors) {
        return Math.sqrt(2 * (1 - 1.0 / OUTPUTS) / vectors);
    }

    private static double[] sums(double[][] scores) {
        return Arrays.stream(scores)
                .mapToDouble(row -> Arrays.stream(row).sum())
                .toArray();
    }

    private static double[][] rows(String key) {
        double[] values = ORACLE.doubles(key);
        int columns = (int) ORACLE.shape(key)[1];
        double[][] rows = new double[values.length / columns][];
        for (int row = 0; row < rows.length; row++) {
            rows[row] = Arrays.copyOfRange(values, row * columns, (row + 1) * columns);
        }
        return rows;
    }
}
