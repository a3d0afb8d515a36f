package dev.gptq.calibrate;

import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoint;
import java.io.Serializable;

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

    WeightQuantizer withBiasCorrection(double[] correction) {
        return new WeightQuantizer(point, method, bits, channelAxis, threshold, rangeMin, rangeMax, correction);
    }
}
