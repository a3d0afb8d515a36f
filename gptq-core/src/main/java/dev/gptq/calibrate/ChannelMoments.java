package dev.gptq.calibrate;

import java.io.Serializable;

/**
 * Mean and sum of squared deviations from it of each channel of a tensor [samples, channels, ...]; every element counts the
 * same.
 *
 * @param elements per channel
 */
record ChannelMoments(long elements, double[] mean, double[] squares) implements Serializable {
    static ChannelMoments of(float[] values, long[] shape) {
        int samples = (int) shape[0];
        int channels = (int) shape[1];
        int positions = values.length / (samples * channels);
        double[] mean = new double[channels];
        double[] squares = new double[channels];
        for (int channel = 0; channel < channels; channel++) {
            double sum = 0;
            for (int sample = 0; sample < samples; sample++) {
                int first = (sample * channels + channel) * positions;
                for (int i = first; i < first + positions; i++) {
                    sum += values[i];
                }
            }
            mean[channel] = sum / ((double) samples * positions);
            double deviations = 0;
            for (int sample = 0; sample < samples; sample++) {
                int first = (sample * channels + channel) * positions;
                for (int i = first; i < first + positions; i++) {
                    double deviation = values[i] - mean[channel];
                    deviations += deviation * deviation;
                }
            }
            squares[channel] = deviations;
        }
        return new ChannelMoments((long) samples * positions, mean, squares);
    }

    /** The moments of both sets of elements (Chan, Golub and LeVeque). */
    ChannelMoments merge(ChannelMoments later) {
        long all = elements + later.elements;
        double[] means = new double[mean.length];
        double[] sums = new double[mean.length];
        for (int channel = 0; channel < means.length; channel++) {
            double difference = later.mean[channel] - mean[channel];
            means[channel] = mean[channel] + difference * later.elements / all;
            sums[channel] = squares[channel]
                    + later.squares[channel]
                    + difference * difference * ((double) elements * later.elements / all);
        }
        return new ChannelMoments(all, means, sums);
    }

    double variance(int channel) {
        return squares[channel] / elements;
    }
}
