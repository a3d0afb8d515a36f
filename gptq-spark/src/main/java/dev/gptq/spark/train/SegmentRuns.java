package dev.gptq.spark.train;

import dev.gptq.spark.exchange.ExchangeException;
import dev.gptq.spark.exchange.StageKey;
import java.util.function.Supplier;

/** The segment that the tasks of this JVM work on, and what the last one has left in memory for the next. */
final class SegmentRuns {
    private StageKey key;
    private SegmentRun run;
    private SegmentRun.Remains remains;

    /** The run of this stage, created by its first task. Tasks of an older one that still wait are ended. */
    synchronized SegmentRun join(StageKey stage, Supplier<SegmentRun> create) {
        if (!stage.equals(key)) {
            if (run != null) {
                run.fail(new ExchangeException("Cannot go on: another attempt of the stage has begun."));
            }
            key = null;
            run = create.get();
            key = stage;
        }
        return run;
    }

    /** Lets go of a run that has ended well: what it holds is as large as the model several times over. */
    synchronized void release(SegmentRun ended) {
        if (run == ended) {
            key = null;
            run = null;
        }
    }

    /** Takes what the last run has left; a run that fails leaves nothing. */
    synchronized SegmentRun.Remains take() {
        SegmentRun.Remains taken = remains;
        remains = null;
        return taken;
    }

    synchronized void leave(SegmentRun.Remains left) {
        remains = left;
    }
}
