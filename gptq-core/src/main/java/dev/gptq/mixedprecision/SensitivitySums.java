package dev.gptq.mixedprecision;

import java.io.Serializable;

/**
 * What quantizing one kernel or activation alone does to the model's outputs, and what layers compute: sums over samples.
 *
 * @param energy of the squares of all real outputs of the float model
 * @param kernels by kernel and choice, of the squares of the outputs' changes
 * @param activations by activation and choice likewise
 * @param multiplications by kernel
 * @param values by activation, number of its values
 */
public record SensitivitySums(
        long samples, double energy, double[][] kernels, double[][] activations, long[] multiplications, long[] values)
        implements Serializable {
    /** The sums over both sets of samples; {@code later} covers the samples behind these. */
    public SensitivitySums merge(SensitivitySums later) {
        return new SensitivitySums(
                samples + later.samples,
                energy + later.energy,
                sum(kernels, later.kernels),
                sum(activations, later.activations),
                sum(multiplications, later.multiplications),
                sum(values, later.values));
    }

    /** By choice, the noise that quantizing the kernel alone adds to the outputs, as a share of their energy. */
    double[] kernelNoise(int kernel) {
        return noise(kernels[kernel]);
    }

    /** By choice, the noise that quantizing the activation alone adds to the outputs, as a share of their energy. */
    double[] activationNoise(int activation) {
        return noise(activations[activation]);
    }

    private double[] noise(double[] errors) {
        double[] noise = errors.clone();
        for (int choice = 0; choice < noise.length; choice++) {
            noise[choice] /= Math.max(energy, Double.MIN_NORMAL);
        }
        return noise;
    }

    private static double[][] sum(double[][] earlier, double[][] later) {
        double[][] sums = new double[earlier.length][];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = earlier[i].clone();
            for (int choice = 0; choice < sums[i].length; choice++) {
                sums[i][choice] += later[i][choice];
            }
        }
        return sums;
    }

    private static long[] sum(long[] earlier, long[] later) {
        long[] sums = earlier.clone();
        for (int i = 0; i < sums.length; i++) {
            sums[i] += later[i];
        }
        return sums;
    }
}
