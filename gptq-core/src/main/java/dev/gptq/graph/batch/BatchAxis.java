package dev.gptq.graph.batch;

import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Finds the batch in the dimensions that a Reshape makes. It keeps the order of elements, and so how many lie before the batch.
 */
final class BatchAxis {
    private BatchAxis() {}

    /**
     * Where a batch of one leaves several dimensions open, the one that exporters mean: rows are merged ([S, B, D] to [S * B,
     * D]) and taken apart again, heads are split off behind the batch ([S, B, H * D] to [S, B * H, D]).
     *
     * @return -1 when there is none
     */
    static int afterReshape(Tried data, long[] after, long batch) {
        long blocks = data.blocks();
        List<Integer> axes = new ArrayList<>();
        for (int axis = 0; axis < after.length; axis++) {
            long before = before(after, axis);
            if (before > 0 && blocks % before == 0 && after[axis] % (blocks / before * batch) == 0) {
                axes.add(axis);
            }
        }
        int rank = data.part().rank();
        IntPredicate begins = axis -> before(after, axis) == blocks;
        if (after.length < rank) {
            long sample = data.part().size() / blocks / batch;
            keep(axes, axis -> behind(after, axis) == sample);
        } else if (after.length > rank) {
            keep(axes, begins);
        }
        keep(axes, axis -> axis == data.axis() && begins.test(axis));
        return axes.isEmpty() ? -1 : axes.get(0);
    }

    /** Narrows a choice, unless nothing would be left. */
    private static void keep(List<Integer> axes, IntPredicate better) {
        if (axes.stream().anyMatch(better::test)) {
            axes.removeIf(axis -> !better.test(axis));
        }
    }

    private static long before(long[] shape, int axis) {
        return TensorData.elementCount(Arrays.copyOf(shape, axis));
    }

    private static long behind(long[] shape, int axis) {
        return TensorData.elementCount(Arrays.copyOfRange(shape, axis + 1, shape.length));
    }
}
