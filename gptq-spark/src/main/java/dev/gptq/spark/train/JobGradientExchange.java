package dev.gptq.spark.train;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.hessian.LossWeights;
import dev.gptq.spark.data.Outcome;
import dev.gptq.spark.data.SparkFailures;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.spark.task.SharedModel;
import dev.gptq.train.GradientExchange;
import dev.gptq.train.LaneGradient;
import dev.gptq.train.StepBatches;
import dev.gptq.train.StudentParameters;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;

/**
 * One Spark job per step, with a task per lane or, where there are fewer cores, per core: parameters go out by broadcast,
 * lanes read their samples from the store, gradients are folded in lane order: as far as the tree allows in the task, then
 * on the driver, or slice by slice on the executors when they are large. Where lanes run does not change a bit.
 */
final class JobGradientExchange implements GradientExchange {
    /** Gradients from 4 MB up are folded in slices: the second stage costs less than the driver's network. */
    private static final int SLICED_FROM = 1 << 20;

    private final BlockJob job;
    private final JavaSparkContext spark;
    private final Broadcast<SharedModel> model;
    private final TrainingLanes lanes;
    private final int maxTasks;
    private final int slicedFrom;

    /** {@code job} bounds the number of tasks; lanes read from {@code folders}. */
    JobGradientExchange(
            BlockJob job,
            TrainingFolders folders,
            QuantizationPlan plan,
            GradientPTQConfig config,
            LossWeights weights) {
        this(job, folders, plan, config, weights, SLICED_FROM);
    }

    /** Gradients of {@code slicedFrom} elements or more are folded in slices. */
    JobGradientExchange(
            BlockJob job,
            TrainingFolders folders,
            QuantizationPlan plan,
            GradientPTQConfig config,
            LossWeights weights,
            int slicedFrom) {
        this.job = job;
        this.spark = job.spark();
        this.model = job.model();
        this.maxTasks = job.tasks();
        this.slicedFrom = slicedFrom;
        this.lanes = new TrainingLanes(spark.broadcast(new TrainingLanes.Context(folders, plan, config, weights)));
    }

    @Override
    public LaneGradient exchange(StudentParameters parameters, StepBatches batches) {
        int count = batches.lanes().size();
        int tasks = tasks(count);
        int elements = parameters.values().length;
        Broadcast<StudentParameters> shared = spark.broadcast(parameters);
        try {
            JavaRDD<Outcome<List<FoldedLanes>>> parts = job.place(
                    spark.parallelize(IntStream.range(0, count).boxed().toList(), tasks)
                            .mapPartitions(new ComputeLanes(model, lanes, shared, batches)));
            if (tasks > 1 && elements >= slicedFrom) {
                return new SlicedFold(count, elements, tasks).fold(parts);
            }
            return FoldedLanes.fold(
                    parts.collect().stream()
                            .flatMap(part -> part.get().stream())
                            .toList(),
                    count);
        } catch (Exception e) {
            throw SparkFailures.translate(e, "compute step " + batches.step(), "See the executors' logs.");
        } finally {
            shared.destroy();
        }
    }

    /** More tasks than cores would only add to the cost of a step; asked each time, for clusters grow and shrink. */
    private int tasks(int count) {
        return Math.max(1, Math.min(count, Math.min(maxTasks, spark.defaultParallelism())));
    }

    @Override
    public void close() {
        lanes.context().destroy();
    }

    /** The lanes of a task -> their gradients, folded as far as the step's tree allows. */
    private record ComputeLanes(
            Broadcast<SharedModel> model,
            TrainingLanes lanes,
            Broadcast<StudentParameters> parameters,
            StepBatches batches)
            implements FlatMapFunction<Iterator<Integer>, Outcome<List<FoldedLanes>>> {
        @Override
        public Iterator<Outcome<List<FoldedLanes>>> call(Iterator<Integer> task) {
            return List.of(Outcome.of(() -> compute(task))).iterator();
        }

        private List<FoldedLanes> compute(Iterator<Integer> task) {
            List<LaneGradient> gradients = new ArrayList<>();
            int first = 0;
            try (ExecutorModels.Lease models = ExecutorModels.lease(model.value())) {
                while (task.hasNext()) {
                    int lane = task.next();
                    first = lane - gradients.size();
                    gradients.add(lanes.compute(models, parameters.value(), batches, lane));
                }
            }
            return FoldedLanes.of(gradients, first, batches.lanes().size());
        }
    }
}
