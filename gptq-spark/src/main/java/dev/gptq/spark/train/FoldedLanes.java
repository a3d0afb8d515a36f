package dev.gptq.spark.train;

import dev.gptq.spark.task.BlockRun;
import dev.gptq.spark.task.OrderedFold;
import dev.gptq.train.LaneGradient;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** The folded gradient of a run of lanes, a subtree of the step's fold. */
record FoldedLanes(BlockRun run, LaneGradient gradient) implements Serializable {
    /** Folds the gradients of lanes {@code first}, {@code first} + 1 and so on of a step as far as the tree allows. */
    static List<FoldedLanes> of(List<LaneGradient> gradients, int first, int lanes) {
        List<FoldedLanes> folded = new ArrayList<>();
        for (BlockRun run : BlockRun.covering(first, first + (long) gradients.size(), lanes)) {
            int begin = Math.toIntExact(run.firstBlock()) - first;
            folded.add(new FoldedLanes(
                    run, LaneGradient.fold(gradients.subList(begin, begin + Math.toIntExact(run.blocks())))));
        }
        return folded;
    }

    /** The gradient of a whole step from its parts in any order. */
    static LaneGradient fold(Iterable<FoldedLanes> parts, int lanes) {
        OrderedFold<LaneGradient> fold = new OrderedFold<>(lanes, LaneGradient::plus);
        parts.forEach(part -> fold.accept(part.run.level(), part.run.index(), part.gradient));
        return fold.result();
    }

    FoldedLanes slice(int from, int to) {
        return new FoldedLanes(run, gradient.slice(from, to));
    }
}
