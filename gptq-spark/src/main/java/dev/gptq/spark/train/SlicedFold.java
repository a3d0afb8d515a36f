package dev.gptq.spark.train;

import dev.gptq.spark.data.Outcome;
import dev.gptq.train.LaneGradient;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.HashPartitioner;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import scala.Tuple2;

/**
 * Folds large gradients on the executors: tasks hand out slices of what they computed, one task per slice folds them, and
 * the driver gets each element once whatever the number of executors. Bits are those of a fold on the driver, because every
 * element goes through the same tree.
 *
 * @param lanes lanes of the step
 * @param elements length of the gradient
 * @param slices into how many parts the gradient is cut
 */
record SlicedFold(int lanes, int elements, int slices) {
    /** Runs the job. */
    LaneGradient fold(JavaRDD<Outcome<List<FoldedLanes>>> parts) {
        JavaRDD<Outcome<LaneGradient>> folded = parts.flatMapToPair(new Cut(elements, slices))
                .groupByKey(new HashPartitioner(slices))
                .map(new FoldSlice(lanes));
        try {
            // One slice per partition, and partitions come in order.
            return LaneGradient.join(folded.collect().stream().map(Outcome::get).toList());
        } finally {
            // Else a gradient per step would stay on disk until the driver's next garbage collection.
            folded.rdd().cleanShuffleDependencies(false);
        }
    }

    /** A task's gradients -> (slice, part of it); a failure goes to every slice. */
    private record Cut(int elements, int slices)
            implements PairFlatMapFunction<Outcome<List<FoldedLanes>>, Integer, Outcome<FoldedLanes>> {
        @Override
        public Iterator<Tuple2<Integer, Outcome<FoldedLanes>>> call(Outcome<List<FoldedLanes>> outcome) {
            List<Tuple2<Integer, Outcome<FoldedLanes>>> cut = new ArrayList<>();
            for (int slice = 0; slice < slices; slice++) {
                int from = begin(slice);
                int to = begin(slice + 1);
                if (outcome.failure() != null) {
                    cut.add(new Tuple2<>(slice, new Outcome<>(null, outcome.failure())));
                } else {
                    for (FoldedLanes part : outcome.value()) {
                        cut.add(new Tuple2<>(slice, new Outcome<>(part.slice(from, to), null)));
                    }
                }
            }
            return cut.iterator();
        }

        private int begin(int slice) {
            return Math.toIntExact((long) elements * slice / slices);
        }
    }

    /** All parts of a slice -> the folded slice. */
    private record FoldSlice(int lanes)
            implements Function<Tuple2<Integer, Iterable<Outcome<FoldedLanes>>>, Outcome<LaneGradient>> {
        @Override
        public Outcome<LaneGradient> call(Tuple2<Integer, Iterable<Outcome<FoldedLanes>>> slice) {
            return Outcome.of(() -> {
                List<FoldedLanes> parts = new ArrayList<>();
                slice._2().forEach(part -> parts.add(part.get()));
                return FoldedLanes.fold(parts, lanes);
            });
        }
    }
}
