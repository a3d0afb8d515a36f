package dev.gptq.spark.train;

import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.task.SharedModel;
import dev.gptq.train.BatchSchedule;
import java.io.Serializable;
import java.util.Map;
import org.apache.spark.broadcast.Broadcast;

/**
 * Steps [start, end) of a training, from one checkpoint to the next, as tasks of a barrier stage get to know them.
 *
 * @param checkpoints those of the run directory
 * @param timeoutSeconds how long executors wait for each other in a step
 * @param divergenceFactor how far the loss may rise, see {@link dev.gptq.train.LossLimit}; or null
 * @param reports name of the driver's endpoint that hears of steps
 * @param reportsParameters whether it hears of the student's parameters, too
 */
record Segment(
        Broadcast<SharedModel> model,
        TrainingLanes lanes,
        BatchSchedule schedule,
        Checkpoints checkpoints,
        int start,
        int end,
        int timeoutSeconds,
        Double divergenceFactor,
        String reports,
        boolean reportsParameters)
        implements Serializable {
    /** Where checkpoints lie, how many stay, and what identifies the training. */
    record Checkpoints(String root, int kept, Map<String, String> inputs) implements Serializable {}

    /** The checkpoints, for reading and writing by a task. */
    CheckpointStore store() {
        return new CheckpointStore(
                RunFiles.of(checkpoints.root(), model.value().hadoop().value()),
                checkpoints.kept(),
                checkpoints.inputs());
    }
}
