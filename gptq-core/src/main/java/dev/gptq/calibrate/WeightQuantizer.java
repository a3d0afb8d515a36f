package dev.gptq.calibrate;

import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoint;
import java.io.Serializable;
import java.util.Arrays;

/**
 * How one kernel is quantized.
 *
 * @param channelAxis the kernel's axis with one threshold per index, or -1 for one threshold
 * @param threshold of POWER_OF_TWO and SYMMETRIC, one per channel, else null; step t / 2^(bits - 1)
 * @param rangeMin of UNIFORM, one per channel, else null; as chosen by the search, before zero is put on the grid
 * @param rangeMax of UNIFORM likewise
 * @param biasCorrection what is subtracted from the bias before training, one per output channel; null when off
 */
public record WeightQuantizer(
        ComparePoint point,
        QuantizationMethod method,
        int bits,
        int channelAxis,
        double[] threshold,
        double[] rangeMin,
        double[] rangeMax,
        double[] biasCorrection)
        implements Serializable {
    /** The grid; UNIFORM has minimum 0, the others -2^(bits-1). */
    public QuantizationGrid grid() {
        if (method == QuantizationMethod.UNIFORM) {
            return QuantizationGrid.uniform(rangeMin, rangeMax, bits, channelAxis);
        }
        return QuantizationGrid.symmetric(threshold, bits, true, channelAxis);
    }

    /** The quantizer of rows [first, first + count) of the kernel, the indices of its first axis; without bias correction. */
    public WeightQuantizer rows(int first, int count) {
        return new WeightQuantizer(
                point,
                method,
                bits,
                channelAxis,
                rows(threshold, first, count),
                rows(rangeMin, first, count),
                rows(rangeMax, first, count),
                null);
    }

    private double[] rows(double[] perChannel, int first, int count) {
        return perChannel == null || channelAxis != 0
                ? perChannel
                : Arrays.copyOfRange(perChannel, first, first + count);
    }

    WeightQuantizer withBiasCorrection(double[] correction) {
        return new WeightQuantizer(point, method, bits, channelAxis, threshold, rangeMin, rangeMax, correction);
    }
}
