package dev.gptq.calibrate;

import dev.gptq.config.ThresholdMethod;

/** The error that a candidate quantizer makes on fixed values; what a threshold search minimises. */
interface QuantizationError {
    /** The error of a symmetric quantizer; step threshold / 2^(bits - sign). */
    double symmetric(double threshold);

    /** The error of a uniform quantizer over [min, max] after zero is put on its grid. */
    double uniform(double min, double max);

    /** The error on a tensor's values, each of weight one; KL first bins them as NumPy's histogram does. */
    static QuantizationError ofValues(double[] values, ThresholdMethod method, double lpNorm, int bits) {
        if (method == ThresholdMethod.KL) {
            return new KlError(HistogramView.ofValues(values), bits, true);
        }
        return new DistanceError(values, null, DistanceError.power(method, lpNorm), bits, true);
    }

    /** The error on a histogram, each bin represented by its left edge (MCT, error_functions). */
    static QuantizationError ofHistogram(
            HistogramView histogram, ThresholdMethod method, double lpNorm, int bits, boolean signed) {
        if (method == ThresholdMethod.KL) {
            return new KlError(histogram, bits, signed);
        }
        HistogramView.Points points = histogram.leftEdges();
        double power = DistanceError.power(method, lpNorm);
        return new DistanceError(points.values(), points.counts(), power, bits, signed);
    }
}
