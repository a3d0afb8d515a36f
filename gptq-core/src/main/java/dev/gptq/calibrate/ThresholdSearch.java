package dev.gptq.calibrate;

import java.util.List;

/**
 * Minimises the quantization error over thresholds or ranges, as MCT's qparams_search does; all channels of a tensor together.
 */
final class ThresholdSearch {
    private static final double FIRST_LOW_FACTOR = 0.7;
    private static final double FIRST_HIGH_FACTOR = 1.2;
    private static final double LOW_FACTOR_GROWTH = 1.02;
    private static final double HIGH_FACTOR_DECAY = 0.98;
    private static final double LAST_LOW_FACTOR = 0.97;
    private static final double LAST_HIGH_FACTOR = 1.03;
    private static final double TOLERANCE = 1e-11;
    private static final int INTERVALS = 30;
    private static final double FIRST_SPREAD = 0.06;
    private static final int REFINEMENT_ROUNDS = 8;
    private static final int REFINEMENT_REACH = 3;
    private static final double FIRST_STEP_SPREAD = 0.2;
    private static final int STEP_REACH = 10;
    private static final int STEP_ROUNDS = 3;
    private static final int FIRST_ZERO_POINT_REACH = 4;
    private static final int ZERO_POINT_REACH = 1;

    private ThresholdSearch() {}

    /** How long a symmetric search goes on, and after how many rounds each its interval shrinks. */
    record SymmetricSchedule(int rounds, int shrinkEvery) {
        static final SymmetricSchedule CHANNELS = new SymmetricSchedule(15, 3);
        static final SymmetricSchedule TENSOR = new SymmetricSchedule(40, 5);
        static final SymmetricSchedule HISTOGRAM = new SymmetricSchedule(20, 4);
    }

    /** How long a uniform search goes on, and how many factors each end of the range is tried with. */
    record UniformSchedule(int rounds, int factors) {
        static final UniformSchedule CHANNELS = new UniformSchedule(10, 8);
        static final UniformSchedule TENSOR = new UniformSchedule(30, 8);
        static final UniformSchedule HISTOGRAM = new UniformSchedule(30, 12);
    }

    /** Ranges by channel. */
    record Ranges(double[] min, double[] max) {}

    /** The smallest power of two that is at least {@code value}, and at least the minimal threshold. */
    static double maxPowerOfTwo(double value) {
        double bounded = Math.max(value, QuantizationGrid.MIN_THRESHOLD);
        double floor = Math.scalb(1.0, Math.getExponent(bounded));
        return floor == bounded ? floor : 2 * floor;
    }

    /** The best of {@code candidates} powers of two, downwards from twice the one that covers {@code maximum}. */
    static double powerOfTwo(double maximum, int candidates, QuantizationError error) {
        double candidate = 2 * maxPowerOfTwo(maximum);
        double best = candidate;
        double least = error.symmetric(candidate);
        for (int i = 1; i < candidates; i++) {
            candidate /= 2;
            double loss = error.symmetric(candidate);
            if (loss < least) {
                least = loss;
                best = candidate;
            }
        }
        return Math.max(best, QuantizationGrid.MIN_THRESHOLD);
    }

    /**
     * Repeated search over 30 evenly spaced thresholds around the last round's best (MCT
     * qparams_symmetric_iterative_minimization). Channels share the stopping rule, as in MCT.
     */
    static double[] symmetric(double[] maxima, SymmetricSchedule schedule, List<? extends QuantizationError> errors) {
        int channels = maxima.length;
        double[] current = new double[channels];
        double[] best = new double[channels];
        double[] least = new double[channels];
        for (int channel = 0; channel < channels; channel++) {
            current[channel] = Math.max(maxima[channel], QuantizationGrid.MIN_THRESHOLD);
            best[channel] = current[channel];
            least[channel] = errors.get(channel).symmetric(current[channel]);
        }
        double low = FIRST_LOW_FACTOR;
        double high = FIRST_HIGH_FACTOR;
        for (int round = 0; round < schedule.rounds(); round++) {
            double improvement = 0;
            for (int channel = 0; channel < channels; channel++) {
                double start = current[channel] * low;
                double step = (current[channel] * high - start) / (INTERVALS - 1);
                double roundLeast = Double.POSITIVE_INFINITY;
                current[channel] = start;
                for (int i = 0; i < INTERVALS; i++) {
                    double candidate = start + i * step;
                    double loss = errors.get(channel).symmetric(candidate);
                    if (loss < roundLeast) {
                        roundLeast = loss;
                        current[channel] = candidate;
                    }
                }
                improvement += least[channel] - roundLeast;
                if (roundLeast < least[channel]) {
                    least[channel] = roundLeast;
                    best[channel] = current[channel];
                }
            }
            if (hasConverged(improvement / channels)) {
                break;
            }
            if (round % schedule.shrinkEvery() == 0) {
                low = Math.min(low * LOW_FACTOR_GROWTH, LAST_LOW_FACTOR);
                high = Math.max(high * HIGH_FACTOR_DECAY, LAST_HIGH_FACTOR);
            }
        }
        for (int channel = 0; channel < channels; channel++) {
            best[channel] = Math.max(best[channel], QuantizationGrid.MIN_THRESHOLD);
        }
        return best;
    }

    /**
     * Repeated search over all pairs of factors for the two ends of the range (MCT
     * iterative_uniform_dynamic_range_search). The result is the range before zero is put on the grid.
     */
    static Ranges uniform(Ranges start, UniformSchedule schedule, List<? extends QuantizationError> errors) {
        int channels = start.min().length;
        double[] currentMin = start.min().clone();
        double[] currentMax = start.max().clone();
        double[] bestMin = start.min().clone();
        double[] bestMax = start.max().clone();
        double[] least = new double[channels];
        for (int channel = 0; channel < channels; channel++) {
            least[channel] = errors.get(channel).uniform(bestMin[channel], bestMax[channel]);
        }
        double[] factors = factors(schedule.factors());
        for (int round = 0; round < schedule.rounds(); round++) {
            double improvement = 0;
            for (int channel = 0; channel < channels; channel++) {
                double baseMin = currentMin[channel];
                double baseMax = currentMax[channel];
                currentMin[channel] = baseMin * factors[0];
                currentMax[channel] = baseMax * factors[0];
                double roundLeast = Double.POSITIVE_INFINITY;
                // An end at zero stays there, and of equal candidates the first one counts.
                int minFactors = baseMin == 0 ? 1 : factors.length;
                int maxFactors = baseMax == 0 ? 1 : factors.length;
                for (int i = 0; i < minFactors; i++) {
                    for (int j = 0; j < maxFactors; j++) {
                        double minFactor = factors[i];
                        double maxFactor = factors[j];
                        double loss = errors.get(channel).uniform(baseMin * minFactor, baseMax * maxFactor);
                        if (loss < roundLeast) {
                            roundLeast = loss;
                            currentMin[channel] = baseMin * minFactor;
                            currentMax[channel] = baseMax * maxFactor;
                        }
                    }
                }
                improvement += least[channel] - roundLeast;
                if (roundLeast < least[channel]) {
                    least[channel] = roundLeast;
                    bestMin[channel] = currentMin[channel];
                    bestMax[channel] = currentMax[channel];
                }
            }
            if (hasConverged(improvement / channels)) {
                break;
            }
        }
        return new Ranges(bestMin, bestMax);
    }

    /**
     * Looks closer and closer around each channel's range for one with less error: over pairs of factors as the search before,
     * then over zero points and steps, of which every grid has one pair only. MCT stops before this; when a kernel's range is
     * symmetric many of its candidates have equal grids, and rounding decides which one its search goes on from. So the
     * range of the values itself is looked around, too.
     *
     * @param start what the search has found
     * @param values smallest and largest value of each channel
     */
    static Ranges refine(Ranges start, Ranges values, int bits, List<? extends QuantizationError> errors) {
        double[] min = start.min().clone();
        double[] max = start.max().clone();
        for (int channel = 0; channel < min.length; channel++) {
            BestRange best = new BestRange(errors.get(channel), min[channel], max[channel]);
            double spread = FIRST_SPREAD;
            for (int round = 0; round < REFINEMENT_ROUNDS; round++, spread /= 2) {
                double baseMin = best.min;
                double baseMax = best.max;
                for (int i = -REFINEMENT_REACH; i <= REFINEMENT_REACH; i++) {
                    for (int j = -REFINEMENT_REACH; j <= REFINEMENT_REACH; j++) {
                        best.offer(baseMin * (1 + i * spread), baseMax * (1 + j * spread));
                    }
                }
            }
            refineGrid(best, bits);
            BestRange tight = new BestRange(errors.get(channel), values.min()[channel], values.max()[channel]);
            refineGrid(tight, bits);
            best.offer(tight.min, tight.max);
            min[channel] = best.min;
            max[channel] = best.max;
        }
        return new Ranges(min, max);
    }

    private static void refineGrid(BestRange best, int bits) {
        double spread = FIRST_STEP_SPREAD;
        for (int round = 0; round < STEP_ROUNDS; round++, spread /= STEP_REACH) {
            UniformRange base = UniformRange.includingZero(best.min, best.max, bits);
            int reach = round == 0 ? FIRST_ZERO_POINT_REACH : ZERO_POINT_REACH;
            int first = Math.max(0, base.zeroPoint() - reach);
            int last = Math.min(base.levels(), base.zeroPoint() + reach);
            for (int zeroPoint = first; zeroPoint <= last; zeroPoint++) {
                for (int i = -STEP_REACH; i <= STEP_REACH; i++) {
                    double step = base.step() * (1 + i * spread / STEP_REACH);
                    best.offer(-zeroPoint * step, (base.levels() - zeroPoint) * step);
                }
            }
        }
    }

    /** The range of the least error among those offered; the first of equals. */
    private static final class BestRange {
        private final QuantizationError error;
        private double min;
        private double max;
        private double least;

        BestRange(QuantizationError error, double min, double max) {
            this.error = error;
            this.min = min;
            this.max = max;
            this.least = error.uniform(min, max);
        }

        void offer(double candidateMin, double candidateMax) {
            double loss = error.uniform(candidateMin, candidateMax);
            if (loss < least) {
                least = loss;
                min = candidateMin;
                max = candidateMax;
            }
        }
    }

    private static boolean hasConverged(double meanImprovement) {
        return meanImprovement > 0 && meanImprovement < TOLERANCE;
    }

    private static double[] factors(int count) {
        double[] factors = new double[count];
        for (int i = 0; i < count; i++) {
            factors[i] = FIRST_LOW_FACTOR + i * ((FIRST_HIGH_FACTOR - FIRST_LOW_FACTOR) / (count - 1));
        }
        return factors;
    }
}
