package dev.gptq.calibrate;

import dev.gptq.config.ThresholdMethod;
import java.util.Arrays;

/** The error that a candidate quantizer makes on fixed values; what a threshold search minimises. */
interface QuantizationError {
    /** The error of a symmetric quantizer; step threshold / 2^(bits - sign). */
    double symmetric(double threshold);

    /** The error of a uniform quantizer over [min, max] after zero is put on its grid. */
    double uniform(double min, double max);

    /**
     * The error on a tensor's values; KL first bins them as NumPy's histogram does.
     *
     * @param weights of HMSE, one per value; null or all zero: each value weighs one
     */
    static QuantizationError ofValues(
            double[] values, double[] weights, ThresholdMethod method, double lpNorm, int bits) {
        if (method == ThresholdMethod.KL) {
            return new KlError(HistogramView.ofValues(values), bits, true);
        }
        boolean weighted = weights != null && Arrays.stream(weights).anyMatch(weight -> weight > 0);
        return new DistanceError(values, weighted ? weights : null, DistanceError.power(method, lpNorm), bits, true);
    }

    /** The error on a histogram, each bin represented by its left edge (MCT, error_functions). */
    static QuantizationError ofHistogram(
            HistogramView histogram, ThresholdMethod method, double lpNorm, int bits, boolean signed) {
        if (method == ThresholdMethod.KL) {
            return new KlError(histogram, bits, signed);
        }
        double power = DistanceError.power(method, lpNorm);
        QuantizationError quick = power == 2 ? HistogramError.of(histogram, bits, signed) : null;
        if (quick != null) {
            return quick;
        }
        HistogramView.Points points = histogram.leftEdges();
        return new DistanceError(points.values(), points.counts(), power, bits, signed);
    }
}
