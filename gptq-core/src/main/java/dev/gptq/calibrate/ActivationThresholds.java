package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import java.util.List;

/** Chooses the quantizer of one activation tensor from its histogram (MCT, qparams_activations_computation). */
final class ActivationThresholds {
    private static final int POWER_OF_TWO_CANDIDATES = 20;
    /** Finer grids have many steps in one bin of the histogram, which cannot tell errors of thresholds apart then. */
    private static final int RESOLVED_BITS = 8;

    private ActivationThresholds() {}

    /**
     * The quantizer with the least error.
     *
     * @param tensor what the quantizer is for
     * @param observed all values seen; outliers beyond {@code config.zThreshold} are left out here
     */
    static ActivationQuantizer choose(String tensor, HistogramView observed, QuantizationConfig.Activations config) {
        HistogramView histogram = observed.withoutOutliers(config.zThreshold());
        boolean signed = config.signed() == null ? histogram.hasNegative() : config.signed();
        if (config.thresholdMethod() == ThresholdMethod.NO_CLIPPING || config.bits() > RESOLVED_BITS) {
            return noClipping(tensor, histogram.min(), histogram.max(), histogram.maxAbsolute(), signed, config);
        }
        QuantizationError error = QuantizationError.ofHistogram(
                histogram, config.thresholdMethod(), config.lpNorm(), config.bits(), signed);
        double start = histogram.maxAbsolute();
        return switch (config.method()) {
            case POWER_OF_TWO ->
                symmetric(
                        tensor,
                        ThresholdSearch.powerOfTwo(
                                Math.max(start, Math.abs(histogram.min())), POWER_OF_TWO_CANDIDATES, error),
                        signed,
                        config);
            case SYMMETRIC ->
                symmetric(
                        tensor,
                        ThresholdSearch.symmetric(
                                new double[] {start}, ThresholdSearch.SymmetricSchedule.HISTOGRAM, List.of(error))[0],
                        signed,
                        config);
            case UNIFORM -> {
                ThresholdSearch.Ranges range = ThresholdSearch.uniform(
                        new ThresholdSearch.Ranges(new double[] {histogram.min()}, new double[] {histogram.max()}),
                        ThresholdSearch.UniformSchedule.HISTOGRAM,
                        List.of(error));
                yield uniform(tensor, range.min()[0], range.max()[0], signed, config);
            }
        };
    }

    /**
     * A quantizer like {@code previous} for values that were changed since.
     *
     * @param signed null: decided by the data
     */
    static ActivationQuantizer chooseAgain(
            ActivationQuantizer previous,
            HistogramView changed,
            Boolean signed,
            QuantizationConfig.Activations config) {
        return choose(
                previous.tensor(),
                changed,
                new QuantizationConfig.Activations(
                        previous.bits(),
                        previous.method(),
                        signed,
                        config.thresholdMethod(),
                        config.lpNorm(),
                        config.zThreshold()));
    }

    /**
     * The quantizer of a tensor whose range is known beforehand (Softmax, Sigmoid): it covers that range (MCT, prior info of
     * nodes).
     */
    static ActivationQuantizer ofKnownRange(
            String tensor, double min, double max, QuantizationConfig.Activations config) {
        boolean signed = config.signed() == null ? min < 0 : config.signed();
        return noClipping(tensor, min, max, Math.max(Math.abs(min), Math.abs(max)), signed, config);
    }

    private static ActivationQuantizer noClipping(
            String tensor,
            double min,
            double max,
            double maxAbsolute,
            boolean signed,
            QuantizationConfig.Activations config) {
        return switch (config.method()) {
            case POWER_OF_TWO ->
                symmetric(tensor, ThresholdSearch.maxPowerOfTwo(Math.max(maxAbsolute, Math.abs(min))), signed, config);
            case SYMMETRIC -> symmetric(tensor, Math.max(maxAbsolute, QuantizationGrid.MIN_THRESHOLD), signed, config);
            case UNIFORM -> uniform(tensor, min, max, signed, config);
        };
    }

    private static ActivationQuantizer symmetric(
            String tensor, double threshold, boolean signed, QuantizationConfig.Activations config) {
        return new ActivationQuantizer(tensor, config.method(), config.bits(), signed, threshold, 0, 0);
    }

    private static ActivationQuantizer uniform(
            String tensor, double min, double max, boolean signed, QuantizationConfig.Activations config) {
        UniformRange range = UniformRange.includingZero(min, max, config.bits());
        return new ActivationQuantizer(
                tensor, QuantizationMethod.UNIFORM, config.bits(), signed, 0, range.min(), range.max());
    }
}
