package dev.gptq.spark.exchange;

import dev.gptq.spark.task.BlockRun;
import dev.gptq.spark.task.OrderedFold;
import dev.gptq.train.LaneGradient;
import java.util.List;

/** Folds gradients in place, range by range, by the tree of {@link LaneGradient#fold}: the same bits without new arrays. */
final class SliceFold {
    private SliceFold() {}

    /** A folded range: it begins at {@code position} of {@code values}. */
    record Part(float[] values, int position) {
        Part plus(Part later, int length) {
            for (int i = 0; i < length; i++) {
                values[position + i] += later.values[later.position + i];
            }
            return this;
        }
    }

    /** Folds elements [from, to) of the lanes of a run, which is a subtree, into the first of them. */
    static void foldRun(List<LaneGradient> lanes, int from, int to) {
        for (int distance = 1; distance < lanes.size(); distance *= 2) {
            for (int lane = 0; lane + distance < lanes.size(); lane += 2 * distance) {
                float[] sum = lanes.get(lane).gradient();
                float[] later = lanes.get(lane + distance).gradient();
                for (int i = from; i < to; i++) {
                    sum[i] += later[i];
                }
            }
        }
    }

    /** The losses of a run of lanes. */
    static double[] foldLosses(List<LaneGradient> lanes) {
        OrderedFold<double[]> fold = new OrderedFold<>(lanes.size(), LaneGradient::sum);
        for (int lane = 0; lane < lanes.size(); lane++) {
            fold.accept(0, lane, lanes.get(lane).losses());
        }
        return fold.result();
    }

    /** Folds a step's runs; those of several lanes are subtrees. */
    static Part fold(List<BlockRun> runs, List<Part> parts, int lanes, int length) {
        OrderedFold<Part> fold = new OrderedFold<>(lanes, (earlier, later) -> earlier.plus(later, length));
        for (int i = 0; i < runs.size(); i++) {
            fold.accept(runs.get(i).level(), runs.get(i).index(), parts.get(i));
        }
        return fold.result();
    }

    /** Folds the losses of a step's runs. */
    static double[] foldLosses(List<BlockRun> runs, List<double[]> losses, int lanes) {
        OrderedFold<double[]> fold = new OrderedFold<>(lanes, LaneGradient::sum);
        for (int i = 0; i < runs.size(); i++) {
            fold.accept(runs.get(i).level(), runs.get(i).index(), losses.get(i));
        }
        return fold.result();
    }
}
