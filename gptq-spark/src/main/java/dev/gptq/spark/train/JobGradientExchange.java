package dev.gptq.spark.train;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.hessian.LossWeights;
import dev.gptq.spark.data.Outcome;
import dev.gptq.spark.data.SparkFailures;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.spark.task.SharedModel;
import dev.gptq.train.GradientComputer;
import dev.gptq.train.GradientExchange;
import dev.gptq.train.LaneGradient;
import dev.gptq.train.MicroBatch;
import dev.gptq.train.StepBatches;
import dev.gptq.train.StudentParameters;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
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

    private final JavaSparkContext spark;
    private final Broadcast<SharedModel> model;
    private final Broadcast<Context> context;
    private final float[][] sampleWeights;
    private final int maxTasks;
    private final int slicedFrom;

    /** {@code job} names the store that lanes read, and bounds the number of tasks. */
    JobGradientExchange(BlockJob job, QuantizationPlan plan, GradientPTQConfig config, LossWeights weights) {
        this(job, plan, config, weights, SLICED_FROM);
    }

    /** Gradients of {@code slicedFrom} elements or more are folded in slices. */
    JobGradientExchange(
            BlockJob job, QuantizationPlan plan, GradientPTQConfig config, LossWeights weights, int slicedFrom) {
        this.spark = job.spark();
        this.model = job.model();
        this.sampleWeights = weights.perSample();
        this.maxTasks = job.tasks();
        this.slicedFrom = slicedFrom;
        // Lanes bring their samples' weights: executors need those of layers only.
        LossWeights layers = new LossWeights(null, weights.perLayer(), weights.regularizer());
        this.context = spark.broadcast(new Context(job.store(), plan, config, layers));
    }

    @Override
    public LaneGradient exchange(StudentParameters parameters, StepBatches batches) {
        List<Lane> lanes = new ArrayList<>();
        for (StepBatches.Range range : batches.lanes()) {
            lanes.add(lane(lanes.size(), range, batches));
        }
        int tasks = tasks(lanes.size());
        int elements = parameters.values().length;
        Broadcast<StudentParameters> shared = spark.broadcast(parameters);
        try {
            JavaRDD<Outcome<List<FoldedLanes>>> parts = spark.parallelize(lanes, tasks)
                    .mapPartitions(new ComputeLanes(model, context, shared, lanes.size()));
            if (tasks > 1 && elements >= slicedFrom) {
                return new SlicedFold(lanes.size(), elements, tasks).fold(parts);
            }
            return FoldedLanes.fold(
                    parts.collect().stream()
                            .flatMap(part -> part.get().stream())
                            .toList(),
                    lanes.size());
        } catch (Exception e) {
            throw SparkFailures.translate(e, "compute step " + batches.step(), "See the executors' logs.");
        } finally {
            shared.destroy();
        }
    }

    /** More tasks than cores would only add to the cost of a step; asked each time, for clusters grow and shrink. */
    private int tasks(int lanes) {
        return Math.max(1, Math.min(lanes, Math.min(maxTasks, spark.defaultParallelism())));
    }

    private Lane lane(int index, StepBatches.Range range, StepBatches batches) {
        int first = Math.toIntExact(range.first());
        float[][] weights =
                sampleWeights == null ? null : Arrays.copyOfRange(sampleWeights, first, first + range.size());
        return new Lane(index, range, weights, batches.attentionDenominator(), batches.globalBatchSize());
    }

    @Override
    public void close() {
        context.destroy();
    }

    /** What stays the same over all steps. */
    private record Context(String store, QuantizationPlan plan, GradientPTQConfig config, LossWeights weights)
            implements Serializable {}

    /** One lane of one step. */
    private record Lane(int index, StepBatches.Range range, float[][] weights, double denominator, int globalBatchSize)
            implements Serializable {}

    /** The lanes of a task -> their gradients, folded as far as the step's tree allows. */
    private record ComputeLanes(
            Broadcast<SharedModel> model,
            Broadcast<Context> context,
            Broadcast<StudentParameters> parameters,
            int lanes)
            implements FlatMapFunction<Iterator<Lane>, Outcome<List<FoldedLanes>>> {
        @Override
        public Iterator<Outcome<List<FoldedLanes>>> call(Iterator<Lane> task) {
            return List.of(Outcome.of(() -> compute(task))).iterator();
        }

        private List<FoldedLanes> compute(Iterator<Lane> task) {
            List<LaneGradient> gradients = new ArrayList<>();
            int first = 0;
            try (ExecutorModels.Lease models = ExecutorModels.lease(model.value())) {
                while (task.hasNext()) {
                    Lane lane = task.next();
                    first = lane.index() - gradients.size();
                    gradients.add(computer(models).compute(parameters.value(), microBatch(models, lane)));
                }
            }
            return FoldedLanes.of(gradients, first, lanes);
        }

        private MicroBatch microBatch(ExecutorModels.Lease models, Lane lane) {
            StepBatches.Range range = lane.range();
            return new MicroBatch(
                    models.readCached(context.value().store(), range.first(), range.size()),
                    lane.weights(),
                    lane.denominator(),
                    lane.globalBatchSize());
        }

        private GradientComputer computer(ExecutorModels.Lease models) {
            Context shared = context.value();
            return models.get(
                    "gradient " + context.id(),
                    GradientComputer.class,
                    () -> new GradientComputer(models.floatModel(), shared.plan(), shared.config(), shared.weights()));
        }
    }
}
