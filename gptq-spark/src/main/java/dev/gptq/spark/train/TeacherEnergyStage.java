package dev.gptq.spark.train;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.graph.SampleBatch;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.spark.task.NumberJob;
import dev.gptq.spark.task.NumberTask;
import dev.gptq.train.TeacherEnergies;
import java.util.function.LongConsumer;

/** The teacher's energies of every micro-batch, for losses that normalise by those of a whole step. */
public final class TeacherEnergyStage {
    private TeacherEnergyStage() {}

    /**
     * Runs the teacher once over all samples, unless the table is there.
     *
     * @param job one block per micro-batch, of the graph that the plan is for
     * @param progress gets the number of samples done
     */
    public static void run(BlockJob job, QuantizationPlan plan, String folder, LongConsumer progress) {
        NumberJob table = new NumberJob(job, folder, plan.weights().size());
        if (!table.isDone()) {
            table.run(new Compute(plan), "train", progress);
        }
    }

    private record Compute(QuantizationPlan plan) implements NumberTask {
        @Override
        public double[][] map(ExecutorModels.Lease models, SampleBatch block) {
            TeacherEnergies energies = models.get(
                    "teacher energies", TeacherEnergies.class, () -> new TeacherEnergies(models.floatModel(), plan));
            return new double[][] {energies.of(block)};
        }
    }
}
