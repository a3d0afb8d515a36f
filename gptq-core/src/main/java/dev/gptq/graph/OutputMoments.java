package dev.gptq.graph;

import java.io.Serializable;

/**
 * What a BatchNormalization that is no longer there gave a tensor, per channel (axis 1): mean beta and standard deviation
 * |gamma| over the data it was trained on (MCT, mean_output and std_output of a node's prior info).
 */
public record OutputMoments(double[] mean, double[] deviation) implements Serializable {
    /** The moments of {@code factor} times the tensor. */
    public OutputMoments times(double factor) {
        double[] means = mean.clone();
        double[] deviations = deviation.clone();
        for (int channel = 0; channel < means.length; channel++) {
            means[channel] *= factor;
            deviations[channel] *= Math.abs(factor);
        }
        return new OutputMoments(means, deviations);
    }
}
