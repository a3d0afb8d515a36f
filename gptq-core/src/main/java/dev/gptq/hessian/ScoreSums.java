package dev.gptq.hessian;

import dev.gptq.config.GPTQHessianScoresConfig;
import java.io.Serializable;
import java.util.Arrays;

/**
 * Hessian scores added up over samples: what single blocks add up to.
 *
 * @param samples how many
 * @param sums by compare point
 */
public record ScoreSums(long samples, double[] sums) implements Serializable {
    /** Keeps a sample without any score from dividing by zero (MCT). */
    private static final double EPSILON = 1e-8;

    /** Sums scores [sample][compare point], those of each sample divided by their sum if {@code config} normalises them. */
    public static ScoreSums of(double[][] scores, GPTQHessianScoresConfig config) {
        if (scores.length == 0) {
            throw new IllegalArgumentException("Cannot reduce Hessian scores: no sample was scored.");
        }
        double[] sums = new double[scores[0].length];
        for (double[] sample : scores) {
            double divisor = config.resolvedNormScores() ? Arrays.stream(sample).sum() + EPSILON : 1;
            for (int point = 0; point < sums.length; point++) {
                sums[point] += sample[point] / divisor;
            }
        }
        return new ScoreSums(scores.length, sums);
    }

    /** The sums over both sets of samples. */
    public ScoreSums merge(ScoreSums later) {
        double[] merged = new double[sums.length];
        for (int point = 0; point < merged.length; point++) {
            merged[point] = sums[point] + later.sums[point];
        }
        return new ScoreSums(samples + later.samples, merged);
    }

    double[] means() {
        return Arrays.stream(sums).map(sum -> sum / samples).toArray();
    }
}
