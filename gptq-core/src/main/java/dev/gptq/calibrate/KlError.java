package dev.gptq.calibrate;

/**
 * Kullback-Leibler divergence of a histogram from its quantized version (MCT, kl error of a histogram): counts outside the
 * range are added to the outermost bins inside, counts that share a quantized value are spread evenly over the bins that are
 * not empty, both distributions are smoothed, and sum(p * ln(p / q)) is taken.
 */
final class KlError implements QuantizationError {
    private static final double EPSILON = 1e-6;

    private final double[] edges;
    private final double[] counts;
    /** Sums of all counts before a bin. */
    private final double[] before;

    private final int bits;
    private final boolean signed;

    KlError(HistogramView histogram, int bits, boolean signed) {
        this.edges = histogram.edges();
        this.counts = histogram.counts();
        this.bits = bits;
        this.signed = signed;
        this.before = new double[counts.length + 1];
        for (int bin = 0; bin < counts.length; bin++) {
            before[bin + 1] = before[bin] + counts[bin];
        }
    }

    @Override
    public double symmetric(double threshold) {
        int positiveLevels = 1 << (signed ? bits - 1 : bits);
        double step = threshold / positiveLevels;
        return divergence(signed ? -threshold : 0, threshold, step, signed ? -positiveLevels : 0, positiveLevels - 1.0);
    }

    @Override
    public double uniform(double min, double max) {
        UniformRange range = UniformRange.includingZero(min, max, bits);
        return divergence(min, max, range.step(), -range.zeroPoint(), range.levels() - range.zeroPoint());
    }

    private double divergence(double rangeMin, double rangeMax, double step, double lowest, double highest) {
        int firstInside = firstEdgeAtLeast(rangeMin);
        int last = firstEdgeAtLeast(rangeMax) - 1;
        if (rangeMax <= rangeMin || firstInside == edges.length || last < 0) {
            return Double.POSITIVE_INFINITY;
        }
        int first = Math.max(firstInside - 1, 0);
        if (first >= last) {
            return 0;
        }
        if (before[last] - before[first] == 0) {
            return Double.POSITIVE_INFINITY;
        }
        double[] real = java.util.Arrays.copyOfRange(counts, first, last);
        real[0] += before[first];
        real[real.length - 1] += before[counts.length] - before[last];
        double[] quantized = spreadWithinLevels(first, last, step, lowest, highest);
        smooth(real);
        smooth(quantized);
        double divergence = 0;
        for (int i = 0; i < real.length; i++) {
            divergence += real[i] * StrictMath.log(real[i] / quantized[i]);
        }
        return divergence;
    }

    /** For bins [first, last): the mean count of their quantization level, over its bins that are not empty. */
    private double[] spreadWithinLevels(int first, int last, double step, double lowest, double highest) {
        double[] spread = new double[last - first];
        int start = first;
        while (start < last) {
            double level = level(start, step, lowest, highest);
            double sum = 0;
            int occupied = 0;
            int end = start;
            while (end < last && level(end, step, lowest, highest) == level) {
                sum += counts[end];
                occupied += counts[end] > 0 ? 1 : 0;
                end++;
            }
            for (int bin = start; bin < end; bin++) {
                spread[bin - first] = counts[bin] > 0 ? sum / (occupied + EPSILON) : 0;
            }
            start = end;
        }
        return spread;
    }

    private double level(int bin, double step, double lowest, double highest) {
        return Math.max(lowest, Math.min(highest, Math.rint(edges[bin] / step)));
    }

    /** Normalises, then lets each zero take an equal small share from all that are not zero. */
    private static void smooth(double[] distribution) {
        double sum = 0;
        for (double value : distribution) {
            sum += value;
        }
        double smallest = Double.POSITIVE_INFINITY;
        int zeros = 0;
        for (int i = 0; i < distribution.length; i++) {
            distribution[i] /= sum;
            if (distribution[i] == 0) {
                zeros++;
            } else {
                smallest = Math.min(smallest, distribution[i]);
            }
        }
        double given = smallest / (2.0 * distribution.length);
        double taken = given * zeros / (distribution.length - zeros);
        for (int i = 0; i < distribution.length; i++) {
            distribution[i] = distribution[i] == 0 ? given : distribution[i] - taken;
        }
    }

    private int firstEdgeAtLeast(double value) {
        int low = 0;
        int high = edges.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (edges[middle] < value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
