package dev.gptq.calibrate;

/**
 * {@link DistanceError} with power 2 on a histogram of equal bins, in a time that grows with the grid's levels instead of
 * the bins. All bins that round to one level q are a range of indices, whose squared distances from q are sums of counts,
 * of count * index and of count * index^2 over the range: differences of sums from the start, which are kept as whole
 * numbers, so nothing is lost by subtracting.
 */
final class HistogramError implements QuantizationError {
    private static final int FEWEST_BINS = 3;
    /** Largest deviation of an edge from its place, in bins; shifted histograms have rounded edges. */
    private static final double EVENNESS = 1e-6;

    private static final double LARGEST_SUM = 0x1p62;

    private final DistanceError firstBin;
    private final double firstCount;
    private final double totalCount;
    /** Bin i begins at origin + i * width; the first bin, which begins at the smallest value, is on its own. */
    private final double origin;

    private final double width;
    private final int bins;
    private final long[] counts;
    private final long[] indices;
    private final long[] squares;
    private final int bits;
    private final boolean signed;

    private HistogramError(HistogramView histogram, int bits, boolean signed) {
        double[] given = histogram.counts();
        this.bins = given.length;
        this.width = width(histogram);
        this.origin = histogram.edges()[1] - width;
        this.bits = bits;
        this.signed = signed;
        this.counts = new long[bins + 1];
        this.indices = new long[bins + 1];
        this.squares = new long[bins + 1];
        for (int bin = 1; bin < bins; bin++) {
            long count = (long) given[bin];
            counts[bin + 1] = counts[bin] + count;
            indices[bin + 1] = indices[bin] + count * bin;
            squares[bin + 1] = squares[bin] + count * bin * bin;
        }
        this.firstCount = given[0];
        this.totalCount = given[0] + counts[bins];
        this.firstBin = new DistanceError(new double[] {histogram.edges()[0]}, null, 2, bits, signed);
    }

    /** The error on such a histogram, or null where summing up bin by bin is exacter or quicker. */
    static QuantizationError of(HistogramView histogram, int bits, boolean signed) {
        double[] edges = histogram.edges();
        int bins = histogram.counts().length;
        if (bins < FEWEST_BINS || 1L << bits >= bins) {
            return null;
        }
        double width = width(histogram);
        double total = 0;
        for (int bin = 0; bin < bins; bin++) {
            double count = histogram.counts()[bin];
            total += count;
            boolean inPlace = bin == 0 || Math.abs(edges[bin] - (edges[1] + (bin - 1) * width)) <= EVENNESS * width;
            if (!inPlace || count != Math.rint(count)) {
                return null;
            }
        }
        return total * bins * bins < LARGEST_SUM ? new HistogramError(histogram, bits, signed) : null;
    }

    private static double width(HistogramView histogram) {
        int last = histogram.counts().length - 1;
        return (histogram.edges()[last] - histogram.edges()[1]) / (last - 1);
    }

    @Override
    public double symmetric(double threshold) {
        int positiveLevels = 1 << (signed ? bits - 1 : bits);
        double step = threshold / positiveLevels;
        double lowest = signed ? -positiveLevels : 0;
        return (error(step, lowest, positiveLevels - 1.0) + firstCount * firstBin.symmetric(threshold)) / totalCount;
    }

    @Override
    public double uniform(double min, double max) {
        UniformRange range = UniformRange.includingZero(min, max, bits);
        double lowest = -range.zeroPoint();
        return (error(range.step(), lowest, lowest + range.levels()) + firstCount * firstBin.uniform(min, max))
                / totalCount;
    }

    /** Sum over all bins but the first. */
    private double error(double step, double lowest, double highest) {
        double levelsPerBin = width / step;
        double binsPerLevel = step / width;
        double originInBins = origin / width;
        double level = Math.max(lowest, Math.min(highest, Math.rint(origin / step + levelsPerBin)));
        double last = Math.max(lowest, Math.min(highest, Math.rint(origin / step + (bins - 1) * levelsPerBin)));
        double sum = 0;
        int from = 1;
        for (; level <= last; level++) {
            // A bin that lies in the middle of two levels is as far from either.
            double end = Math.ceil((level + 0.5) * binsPerLevel - originInBins);
            int to = level == last ? bins : (int) Math.max(from, Math.min(bins, end));
            if (counts[to] != counts[from]) {
                sum += squaredDistances(from, to, level * binsPerLevel - originInBins);
            }
            from = to;
        }
        return sum * width * width;
    }

    /** Sum of count * (index - centre)^2 over bins [from, to). */
    private double squaredDistances(int from, int to, double centre) {
        // From the index next to the centre, so that no large terms cancel.
        long near = (long) Math.max(from, Math.min(to - 1, Math.rint(centre)));
        long count = counts[to] - counts[from];
        long index = indices[to] - indices[from];
        long first = index - near * count;
        long second = squares[to] - squares[from] - 2 * near * index + near * near * count;
        double rest = centre - near;
        return second - 2 * rest * first + rest * rest * count;
    }
}
