package dev.gptq.spark.train;

import dev.gptq.spark.data.Outcome;
import dev.gptq.spark.task.ExecutorModels;
import java.io.Serializable;
import org.apache.spark.BarrierTaskContext;
import scala.collection.Iterator;
import scala.collection.Iterator$;
import scala.runtime.AbstractFunction1;

/** A task of the barrier stage that trains a segment. */
final class SegmentTask extends AbstractFunction1<Iterator<Integer>, Iterator<Outcome<SegmentResult>>>
        implements Serializable {
    private final Segment segment;

    SegmentTask(Segment segment) {
        this.segment = segment;
    }

    @Override
    public Iterator<Outcome<SegmentResult>> apply(Iterator<Integer> nothing) {
        BarrierTaskContext task = BarrierTaskContext.get();
        return Iterator$.MODULE$.single(Outcome.of(() -> {
            try (ExecutorModels.Lease models =
                    ExecutorModels.lease(segment.model().value())) {
                return SegmentRun.join(segment, models, task).train(task);
            }
        }));
    }
}
