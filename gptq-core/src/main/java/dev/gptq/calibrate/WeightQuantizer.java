package dev.gptq.calibrate;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.TensorData;
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
 * @param kernelFactor what the kernel is multiplied by before it is rounded, one per output channel; thresholds and ranges
 *     are those of the product. Null for one, see {@link SecondMomentCorrection}
 */
public record WeightQuantizer(
        ComparePoint point,
        QuantizationMethod method,
        int bits,
        int channelAxis,
        double[] threshold,
        double[] rangeMin,
        double[] rangeMax,
        double[] biasCorrection,
        @JsonInclude(JsonInclude.Include.NON_NULL) double[] kernelFactor)
        implements Serializable {
    /** For a kernel that is rounded as it is. */
    public WeightQuantizer(
            ComparePoint point,
            QuantizationMethod method,
            int bits,
            int channelAxis,
            double[] threshold,
            double[] rangeMin,
            double[] rangeMax,
            double[] biasCorrection) {
        this(point, method, bits, channelAxis, threshold, rangeMin, rangeMax, biasCorrection, null);
    }

    /** The same quantizer of {@code other}. */
    WeightQuantizer of(ComparePoint other) {
        return new WeightQuantizer(
                other, method, bits, channelAxis, threshold, rangeMin, rangeMax, biasCorrection, kernelFactor);
    }

    /** What is rounded: the float kernel, or rows of it for a quantizer of these rows, times the factor. */
    public TensorData start(TensorData kernel) {
        if (kernelFactor == null) {
            return kernel;
        }
        float[] values = kernel.floats().clone();
        int inner = 1;
        for (int axis = channelAxis + 1; axis < kernel.rank(); axis++) {
            inner *= (int) kernel.shape()[axis];
        }
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (values[i] * kernelFactor[i / inner % kernelFactor.length]);
        }
        return TensorData.ofFloats(values, kernel.shape());
    }

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
                null,
                rows(kernelFactor, first, count));
    }

    private double[] rows(double[] perChannel, int first, int count) {
        return perChannel == null || channelAxis != 0
                ? perChannel
                : Arrays.copyOfRange(perChannel, first, first + count);
    }

    /** The quantizer without what corrects rounding to nearest: for the float kernel itself, and without bias correction. */
    public WeightQuantizer withoutCorrections() {
        return new WeightQuantizer(
                point, method, bits, channelAxis, ofKernel(threshold), ofKernel(rangeMin), ofKernel(rangeMax), null);
    }

    private double[] ofKernel(double[] ofProduct) {
        if (ofProduct == null || kernelFactor == null) {
            return ofProduct;
        }
        double[] quotient = ofProduct.clone();
        for (int channel = 0; channel < quotient.length; channel++) {
            quotient[channel] /= kernelFactor[channel];
        }
        return quotient;
    }

    WeightQuantizer withBiasCorrection(double[] correction) {
        return new WeightQuantizer(
                point, method, bits, channelAxis, threshold, rangeMin, rangeMax, correction, kernelFactor);
    }
}
