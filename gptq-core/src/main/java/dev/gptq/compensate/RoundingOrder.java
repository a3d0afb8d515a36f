package dev.gptq.compensate;

import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The order in which the weights of a matrix are rounded, that of falling moments of their inputs, and what the error of one
 * leaves the next ones to make up for.
 *
 * @param inputs in this order
 * @param factor see {@link UnitFactor}, by the order's indices
 */
record RoundingOrder(int[] inputs, double[][] factor) {
    /**
     * The order for the rows that these moments are of, or null where nothing but zeros reaches the kernel and any rounding
     * is as good.
     *
     * @param moments has those of the group from {@code begin} on, [depth][depth]
     * @param damping share of their mean that is added to the diagonal
     */
    static RoundingOrder of(float[] moments, int begin, int depth, double damping) {
        double added = damping * meanDiagonal(moments, begin, depth);
        if (!(added > 0)) {
            return null;
        }
        int[] inputs = byFallingMoment(moments, begin, depth);
        double[][] factor = reordered(moments, begin, inputs, added);
        UnitFactor.factorize(factor);
        return new RoundingOrder(inputs, factor);
    }

    private static double meanDiagonal(float[] moments, int begin, int depth) {
        double sum = 0;
        for (int i = 0; i < depth; i++) {
            sum += moments[begin + i * depth + i];
        }
        return sum / depth;
    }

    private static int[] byFallingMoment(float[] moments, int begin, int depth) {
        return IntStream.range(0, depth)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -moments[begin + i * depth + i]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** The lower triangle with the damping, in the order of rounding. */
    private static double[][] reordered(float[] moments, int begin, int[] order, double added) {
        double[][] rows = new double[order.length][];
        for (int k = 0; k < rows.length; k++) {
            rows[k] = new double[k + 1];
            for (int i = 0; i <= k; i++) {
                rows[k][i] = moments[begin + order[k] * order.length + order[i]];
            }
            rows[k][k] += added;
        }
        return rows;
    }
}
