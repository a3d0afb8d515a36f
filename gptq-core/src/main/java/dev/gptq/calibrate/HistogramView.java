package dev.gptq.calibrate;

import java.util.Arrays;

/**
 * A histogram as the threshold search reads it.
 *
 * @param edges ascending; bin i is [edges[i], edges[i + 1])
 * @param counts one per bin; need not be whole numbers
 */
record HistogramView(double[] edges, double[] counts) {
    private static final int BINS_OF_VALUES = 2048;

    HistogramView {
        if (edges.length != counts.length + 1) {
            throw new IllegalArgumentException(
                    "Cannot create histogram: " + edges.length + " edges for " + counts.length + " bins.");
        }
    }

    /** The left edges of the bins that are not empty. */
    record Points(double[] values, double[] counts) {}

    /** A histogram of 2,048 equal bins from minimum to maximum, as {@code numpy.histogram} makes it. */
    static HistogramView ofValues(double[] values) {
        double min = Arrays.stream(values).min().orElse(0);
        double max = Arrays.stream(values).max().orElse(0);
        if (min == max) {
            min -= 0.5;
            max += 0.5;
        }
        double[] edges = new double[BINS_OF_VALUES + 1];
        for (int i = 0; i <= BINS_OF_VALUES; i++) {
            edges[i] = min + i * ((max - min) / BINS_OF_VALUES);
        }
        edges[BINS_OF_VALUES] = max;
        double[] counts = new double[BINS_OF_VALUES];
        for (double value : values) {
            int position = Arrays.binarySearch(edges, value);
            int bin = position >= 0 ? position : -position - 2;
            counts[Math.min(bin, BINS_OF_VALUES - 1)]++;
        }
        return new HistogramView(edges, counts);
    }

    /** The histogram of the same values plus {@code shift}. */
    HistogramView shifted(double shift) {
        return new HistogramView(Arrays.stream(edges).map(edge -> edge + shift).toArray(), counts);
    }

    Points leftEdges() {
        double[] values = new double[counts.length];
        double[] weights = new double[counts.length];
        int used = 0;
        for (int bin = 0; bin < counts.length; bin++) {
            if (counts[bin] > 0) {
                values[used] = edges[bin];
                weights[used++] = counts[bin];
            }
        }
        return new Points(Arrays.copyOf(values, used), Arrays.copyOf(weights, used));
    }

    /** Whether a bin that is not empty starts below zero. */
    boolean hasNegative() {
        for (int bin = 0; bin < counts.length; bin++) {
            if (counts[bin] > 0 && edges[bin] < 0) {
                return true;
            }
        }
        return false;
    }

    /** The smallest left edge of a bin that is not empty. */
    double min() {
        for (int bin = 0; bin < counts.length; bin++) {
            if (counts[bin] > 0) {
                return edges[bin];
            }
        }
        return 0;
    }

    /** The largest right edge of a bin that is not empty. */
    double max() {
        for (int bin = counts.length - 1; bin >= 0; bin--) {
            if (counts[bin] > 0) {
                return edges[bin + 1];
            }
        }
        return 0;
    }

    /** The largest absolute right edge of a bin that is not empty (where MCT starts its symmetric search). */
    double maxAbsolute() {
        double largest = 0;
        for (int bin = 0; bin < counts.length; bin++) {
            if (counts[bin] > 0) {
                largest = Math.max(largest, Math.abs(edges[bin + 1]));
            }
        }
        return largest;
    }

    /** Empties bins whose left edge is more than {@code zThreshold} standard deviations from the mean (MCT, z_score_filter). */
    HistogramView withoutOutliers(double zThreshold) {
        if (Double.isInfinite(zThreshold)) {
            return this;
        }
        double total = 0;
        double sum = 0;
        for (int bin = 0; bin < counts.length; bin++) {
            total += counts[bin];
            sum += counts[bin] * edges[bin];
        }
        double mean = sum / total;
        double squares = 0;
        for (int bin = 0; bin < counts.length; bin++) {
            squares += counts[bin] * (edges[bin] - mean) * (edges[bin] - mean);
        }
        double limit = zThreshold * Math.sqrt(squares / total);
        double[] kept = counts.clone();
        for (int bin = 0; bin < counts.length; bin++) {
            if (Math.abs(edges[bin] - mean) > limit) {
                kept[bin] = 0;
            }
        }
        return new HistogramView(edges, kept);
    }
}
