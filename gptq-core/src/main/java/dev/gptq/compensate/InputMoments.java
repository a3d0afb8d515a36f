package dev.gptq.compensate;

import java.io.Serializable;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Sums of x x^T over the rows x that layers multiply their kernels with.
 *
 * @param sums by {@link KernelGroup#name}, [group][depth][depth] row-major
 */
public record InputMoments(SortedMap<String, float[]> sums) implements Serializable {
    /** The sums over both; takes the earlier's arrays for them. */
    public InputMoments merge(InputMoments later) {
        TreeMap<String, float[]> merged = new TreeMap<>(sums);
        later.sums.forEach((group, added) -> merged.merge(group, added, InputMoments::add));
        return new InputMoments(merged);
    }

    private static float[] add(float[] sum, float[] added) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += added[i];
        }
        return sum;
    }
}
