package dev.gptq.calibrate;

import java.util.ArrayList;
import java.util.List;

/**
 * What was seen of a quantized activation tensor, in few bins, and the range that its quantizer can represent.
 *
 * @param firstEdge lower edge of the first bin; bin i is [firstEdge + i * binWidth, firstEdge + (i + 1) * binWidth)
 * @param counts values in each bin
 * @param min smallest value seen; {@code max} the largest
 * @param rangeMin smallest value of the quantizer's grid; {@code rangeMax} the largest
 * @param clipped share of values in bins whose middle is more than half a step outside the grid
 */
public record ActivationHistogram(
        String tensor,
        int bits,
        double firstEdge,
        double binWidth,
        long[] counts,
        double min,
        double max,
        double rangeMin,
        double rangeMax,
        double clipped) {
    /**
     * The tensors that the plan quantizes and that were observed, in the plan's order.
     *
     * @param bins the most bins of a histogram
     */
    public static List<ActivationHistogram> of(BlockStatistics statistics, QuantizationPlan plan, int bins) {
        List<ActivationHistogram> histograms = new ArrayList<>();
        for (ActivationQuantizer quantizer : plan.activations()) {
            TensorStatistics observed = statistics.activations().get(quantizer.tensor());
            if (observed != null) {
                histograms.add(of(quantizer, observed.histogram(), bins));
            }
        }
        return histograms;
    }

    private static ActivationHistogram of(ActivationQuantizer quantizer, Histogram histogram, int bins) {
        QuantizationGrid grid = quantizer.grid();
        double rangeMin = (double) grid.scale()[0] * (grid.minimum() - grid.zeroPoint()[0]);
        double rangeMax = (double) grid.scale()[0] * (grid.maximum() - grid.zeroPoint()[0]);
        long[] counts = histogram.counts();
        double width = histogram.binWidth();
        double first = Math.floor(histogram.min() / width) * width;
        // Closer than that to the range, a value is rounded, not clipped.
        double halfStep = grid.scale()[0] / 2.0;
        int merged = (counts.length + bins - 1) / bins;
        long[] few = new long[(counts.length + merged - 1) / merged];
        long clipped = 0;
        for (int bin = 0; bin < counts.length; bin++) {
            few[bin / merged] += counts[bin];
            double middle = first + (bin + 0.5) * width;
            if (middle < rangeMin - halfStep || middle > rangeMax + halfStep) {
                clipped += counts[bin];
            }
        }
        return new ActivationHistogram(
                quantizer.tensor(),
                quantizer.bits(),
                first,
                merged * width,
                few,
                histogram.min(),
                histogram.max(),
                rangeMin,
                rangeMax,
                (double) clipped / Math.max(1, histogram.total()));
    }
}
