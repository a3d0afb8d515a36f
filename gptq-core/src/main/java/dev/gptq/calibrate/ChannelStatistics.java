package dev.gptq.calibrate;

import java.io.Serializable;
import java.util.Arrays;

/**
 * Mean, minimum and maximum of each channel of a tensor [samples, ..., channels, ...]. Means weigh samples equally
 * (MCT averages the means of batches).
 *
 * @param samples number of samples seen
 * @param meanSum for each channel, the sum over samples of the sample's mean
 */
record ChannelStatistics(long samples, double[] meanSum, float[] min, float[] max) implements Serializable {
    /** Statistics of a tensor with at least two axes, the first of them the samples. */
    static ChannelStatistics of(float[] values, long[] shape, int channelAxis) {
        int samples = (int) shape[0];
        int channels = (int) shape[channelAxis];
        int outer = 1;
        for (int axis = 1; axis < channelAxis; axis++) {
            outer *= (int) shape[axis];
        }
        int inner = 1;
        for (int axis = channelAxis + 1; axis < shape.length; axis++) {
            inner *= (int) shape[axis];
        }
        double[] meanSum = new double[channels];
        float[] min = new float[channels];
        float[] max = new float[channels];
        Arrays.fill(min, Float.POSITIVE_INFINITY);
        Arrays.fill(max, Float.NEGATIVE_INFINITY);
        double[] sampleSum = new double[channels];
        int position = 0;
        for (int sample = 0; sample < samples; sample++) {
            Arrays.fill(sampleSum, 0);
            for (int block = 0; block < outer; block++) {
                for (int channel = 0; channel < channels; channel++) {
                    double sum = 0;
                    float low = min[channel];
                    float high = max[channel];
                    for (int end = position + inner; position < end; position++) {
                        float value = values[position];
                        sum += value;
                        low = Math.min(low, value);
                        high = Math.max(high, value);
                    }
                    sampleSum[channel] += sum;
                    min[channel] = low;
                    max[channel] = high;
                }
            }
            for (int channel = 0; channel < channels; channel++) {
                meanSum[channel] += sampleSum[channel] / ((double) outer * inner);
            }
        }
        return new ChannelStatistics(samples, meanSum, min, max);
    }

    /** The statistics of both; this one's samples come first. */
    ChannelStatistics merge(ChannelStatistics next) {
        if (meanSum.length != next.meanSum.length) {
            throw new IllegalArgumentException(
                    "Cannot merge statistics of " + meanSum.length + " and " + next.meanSum.length + " channels.");
        }
        double[] sum = meanSum.clone();
        float[] low = min.clone();
        float[] high = max.clone();
        for (int channel = 0; channel < sum.length; channel++) {
            sum[channel] += next.meanSum[channel];
            low[channel] = Math.min(low[channel], next.min[channel]);
            high[channel] = Math.max(high[channel], next.max[channel]);
        }
        return new ChannelStatistics(samples + next.samples, sum, low, high);
    }

    /** Number of channels. */
    int count() {
        return meanSum.length;
    }

    /** The mean of each channel. */
    double[] mean() {
        return Arrays.stream(meanSum).map(sum -> sum / samples).toArray();
    }
}
