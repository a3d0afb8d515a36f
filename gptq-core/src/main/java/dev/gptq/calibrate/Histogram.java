package dev.gptq.calibrate;

import java.io.Serializable;
import java.util.Arrays;

/**
 * Counts of values in bins of width 2^exponent; bin k is [k * width, (k + 1) * width). The exponent is a function of the
 * smallest and the largest value alone: the least one that needs no more than {@link #MAX_BINS} bins. A wider bin is the
 * union of two neighbours, so merging is exact and its order does not matter.
 */
final class Histogram implements Serializable {
    /** Between 4,096 and 8,192 bins are in use (MCT: 2,048), fewer where float32 has no more values. */
    static final int MAX_BINS = 8192;

    private static final int MIN_EXPONENT = -40;
    private static final int FLOAT_DIGITS = 24;
    private static final long serialVersionUID = 1L;

    private final float min;
    private final float max;
    private final int exponent;
    private final long firstBin;
    private final long[] counts;

    private Histogram(float min, float max, int exponent, long firstBin, long[] counts) {
        this.min = min;
        this.max = max;
        this.exponent = exponent;
        this.firstBin = firstBin;
        this.counts = counts;
    }

    /** A histogram from its parts; used to read it back. */
    static Histogram of(float min, float max, long[] counts) {
        Histogram empty = empty(min, max);
        if (empty.counts.length != counts.length) {
            throw new IllegalArgumentException("Cannot read histogram of [" + min + ", " + max + "]: "
                    + empty.counts.length + " bins expected, " + counts.length + " given.");
        }
        return new Histogram(min, max, empty.exponent, empty.firstBin, counts);
    }

    /** Counts finite values, all of them in [min, max], which are their smallest and largest. */
    static Histogram of(float[] values, float min, float max) {
        Histogram histogram = empty(min, max);
        int[] blockCounts = new int[histogram.counts.length];
        double perWidth = Math.scalb(1.0, -histogram.exponent);
        double offset = histogram.firstBin;
        for (float value : values) {
            blockCounts[(int) (Math.floor(value * perWidth) - offset)]++;
        }
        for (int bin = 0; bin < blockCounts.length; bin++) {
            histogram.counts[bin] = blockCounts[bin];
        }
        return histogram;
    }

    private static Histogram empty(float min, float max) {
        int exponent = exponent(min, max);
        long firstBin = bin(min, exponent);
        return new Histogram(min, max, exponent, firstBin, new long[(int) (bin(max, exponent) - firstBin + 1)]);
    }

    /** The counts of both. */
    Histogram merge(Histogram other) {
        Histogram merged = empty(Math.min(min, other.min), Math.max(max, other.max));
        merged.add(this);
        merged.add(other);
        return merged;
    }

    private void add(Histogram part) {
        int shift = exponent - part.exponent;
        for (int i = 0; i < part.counts.length; i++) {
            // An arithmetic shift rounds down, so negative bins merge away from zero as positive ones do towards it.
            counts[(int) (((part.firstBin + i) >> shift) - firstBin)] += part.counts[i];
        }
    }

    private static int exponent(float min, float max) {
        float largest = Math.max(Math.abs(min), Math.abs(max));
        int exponent = Math.max(MIN_EXPONENT, Math.getExponent(largest) - FLOAT_DIGITS);
        exponent = Math.max(exponent, Math.getExponent(((double) max - min) / MAX_BINS));
        while (bin(max, exponent) - bin(min, exponent) >= MAX_BINS) {
            exponent++;
        }
        return exponent;
    }

    private static long bin(double value, int exponent) {
        return (long) Math.floor(Math.scalb(value, -exponent));
    }

    float min() {
        return min;
    }

    float max() {
        return max;
    }

    /** Counts of consecutive bins, from the one that holds the minimum to the one that holds the maximum. */
    long[] counts() {
        return counts.clone();
    }

    long total() {
        return Arrays.stream(counts).sum();
    }

    double binWidth() {
        return Math.scalb(1.0, exponent);
    }

    /** Edges and counts for the threshold search; the outermost edges are the minimum and the maximum themselves. */
    HistogramView view() {
        double[] edges = new double[counts.length + 1];
        for (int bin = 0; bin <= counts.length; bin++) {
            edges[bin] = (firstBin + bin) * binWidth();
        }
        edges[0] = min;
        edges[counts.length] = max;
        return new HistogramView(edges, Arrays.stream(counts).asDoubleStream().toArray());
    }
}
