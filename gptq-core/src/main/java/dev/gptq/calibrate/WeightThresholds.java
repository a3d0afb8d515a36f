package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.graph.TensorData;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The thresholds or ranges of one kernel (MCT, qparams_weights_computation).
 *
 * @param threshold of POWER_OF_TWO and SYMMETRIC, else null
 * @param ranges of UNIFORM, else null; before zero is put on the grid
 */
record WeightThresholds(double[] threshold, ThresholdSearch.Ranges ranges) {
    private static final int POWER_OF_TWO_CANDIDATES = 10;

    /**
     * Chooses thresholds, one per index of {@code channelAxis}, or one when that is -1.
     *
     * @param hessian of HMSE: for each element of the kernel, row-major, how much its squared error counts. Only ratios
     *     within a channel matter; a channel of zeros is searched as by MSE. Null for other methods
     */
    static WeightThresholds choose(
            TensorData kernel, int channelAxis, QuantizationConfig.Weights config, float[] hessian) {
        double[][] channels = channels(kernel, channelAxis);
        boolean perChannel = channelAxis >= 0;
        double[] min = Arrays.stream(channels)
                .mapToDouble(values -> Arrays.stream(values).min().orElse(0))
                .toArray();
        double[] max = Arrays.stream(channels)
                .mapToDouble(values -> Arrays.stream(values).max().orElse(0))
                .toArray();
        List<QuantizationError> errors = config.thresholdMethod() == ThresholdMethod.NO_CLIPPING
                ? List.of()
                : errors(
                        channels,
                        hessian == null
                                ? new double[channels.length][]
                                : channels(TensorData.ofFloats(hessian, kernel.shape()), channelAxis),
                        config);
        if (config.method() == QuantizationMethod.UNIFORM) {
            ThresholdSearch.Ranges noClipping = new ThresholdSearch.Ranges(min, atLeastNegated(min, max));
            ThresholdSearch.UniformSchedule schedule =
                    perChannel ? ThresholdSearch.UniformSchedule.CHANNELS : ThresholdSearch.UniformSchedule.TENSOR;
            if (errors.isEmpty()) {
                return new WeightThresholds(null, noClipping);
            }
            ThresholdSearch.Ranges found = ThresholdSearch.uniform(noClipping, schedule, errors);
            return new WeightThresholds(
                    null, ThresholdSearch.refine(found, new ThresholdSearch.Ranges(min, max), config.bits(), errors));
        }
        double[] noClipping = noClippingThresholds(min, max, config.bits());
        if (config.method() == QuantizationMethod.SYMMETRIC) {
            ThresholdSearch.SymmetricSchedule schedule =
                    perChannel ? ThresholdSearch.SymmetricSchedule.CHANNELS : ThresholdSearch.SymmetricSchedule.TENSOR;
            return new WeightThresholds(
                    errors.isEmpty() ? noClipping : ThresholdSearch.symmetric(noClipping, schedule, errors), null);
        }
        double[] threshold = new double[noClipping.length];
        for (int channel = 0; channel < threshold.length; channel++) {
            threshold[channel] = errors.isEmpty()
                    ? ThresholdSearch.maxPowerOfTwo(noClipping[channel])
                    : ThresholdSearch.powerOfTwo(noClipping[channel], POWER_OF_TWO_CANDIDATES, errors.get(channel));
        }
        return new WeightThresholds(threshold, null);
    }

    private static List<QuantizationError> errors(
            double[][] channels, double[][] hessians, QuantizationConfig.Weights config) {
        return IntStream.range(0, channels.length)
                .mapToObj(channel -> QuantizationError.ofValues(
                        channels[channel], hessians[channel], config.thresholdMethod(), config.lpNorm(), config.bits()))
                .toList();
    }

    /** The values of each channel, in row-major order; all of them in one array when {@code channelAxis} is -1. */
    static double[][] channels(TensorData tensor, int channelAxis) {
        float[] values = tensor.floats();
        long[] shape = tensor.shape();
        int count = channelAxis < 0 ? 1 : (int) shape[channelAxis];
        int inner = 1;
        for (int axis = channelAxis + 1; axis < shape.length; axis++) {
            inner *= (int) shape[axis];
        }
        double[][] channels = new double[count][count == 0 ? 0 : values.length / count];
        for (int i = 0; i < values.length; i++) {
            int block = i / inner;
            channels[block % count][block / count * inner + i % inner] = values[i];
        }
        return channels;
    }

    /** MCT's upper end of a kernel's unclipped range: max(-min, max). */
    private static double[] atLeastNegated(double[] min, double[] max) {
        double[] upper = new double[min.length];
        for (int channel = 0; channel < min.length; channel++) {
            upper[channel] = Math.max(-min[channel], max[channel]);
        }
        return upper;
    }

    /** max(-min, max * 2^(bits-1) / (2^(bits-1) - 1)): the largest positive level is one step below the threshold. */
    private static double[] noClippingThresholds(double[] min, double[] max, int bits) {
        double positiveLevels = 1 << (bits - 1);
        double[] thresholds = new double[min.length];
        for (int channel = 0; channel < min.length; channel++) {
            thresholds[channel] = Math.max(
                    QuantizationGrid.MIN_THRESHOLD,
                    Math.max(-min[channel], max[channel] * (positiveLevels / (positiveLevels - 1))));
        }
        return thresholds;
    }
}
