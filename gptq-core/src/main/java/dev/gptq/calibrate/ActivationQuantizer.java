package dev.gptq.calibrate;

import dev.gptq.config.QuantizationMethod;
import java.io.Serializable;

/**
 * How one activation tensor is quantized, per tensor.
 *
 * @param tensor the tensor's name in the prepared graph
 * @param signed whether the symmetric grid includes negative values (ignored for UNIFORM)
 * @param threshold of POWER_OF_TWO and SYMMETRIC; step t / 2^(bits - signed)
 * @param rangeMin of UNIFORM, adjusted so that zero is on the grid
 * @param rangeMax of UNIFORM, adjusted likewise
 */
public record ActivationQuantizer(
        String tensor,
        QuantizationMethod method,
        int bits,
        boolean signed,
        double threshold,
        double rangeMin,
        double rangeMax)
        implements Serializable {
    /** The grid; UNIFORM has minimum 0, signed symmetric -2^(bits-1), unsigned symmetric 0. */
    public QuantizationGrid grid() {
        if (method == QuantizationMethod.UNIFORM) {
            return QuantizationGrid.uniform(new double[] {rangeMin}, new double[] {rangeMax}, bits, -1);
        }
        return QuantizationGrid.symmetric(new double[] {threshold}, bits, signed, -1);
    }
}
