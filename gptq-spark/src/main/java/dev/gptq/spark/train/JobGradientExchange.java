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
import java.util.Arrays;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;

/**
 * One Spark job per step, with a task per lane or, where there are fewer cores, per core: parameters go out by broadcast,
 * lanes read their samples from the store, gradients come back as results and are folded in lane order. Where lanes run
 * does not change a bit.
 */
final class JobGradientExchange implements GradientExchange {
    private final JavaSparkContext spark;
    private final Broadcast<SharedModel> model;
    private final Broadcast<Context> context;
    private final float[][] sampleWeights;
    private final int maxTasks;

    /** {@code job} names the store that lanes read, and bounds the number of tasks. */
    JobGradientExchange(BlockJob job, QuantizationPlan plan, GradientPTQConfig config, LossWeights weights) {
        this.spark = job.spark();
        this.model = job.model();
        this.sampleWeights = weights.perSample();
        this.maxTasks = job.tasks();
        // Lanes bring their samples' weights: executors need those of layers only.
        LossWeights layers = new LossWeights(null, weights.perLayer(), weights.regularizer());
        this.context = spark.broadcast(new Context(job.store(), plan, config, layers));
    }

    @Override
    public LaneGradient exchange(StudentParameters parameters, StepBatches batches) {
        List<Lane> lanes =
                batches.lanes().stream().map(range -> lane(range, batches)).toList();
        Broadcast<StudentParameters> shared = spark.broadcast(parameters);
        try {
            List<Outcome<LaneGradient>> gradients = spark.parallelize(lanes, tasks(lanes.size()))
                    .map(new ComputeLane(model, context, shared))
                    .collect();
            return LaneGradient.fold(gradients.stream().map(Outcome::get).toList());
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

    private Lane lane(StepBatches.Range range, StepBatches batches) {
        int first = Math.toIntExact(range.first());
        float[][] weights =
                sampleWeights == null ? null : Arrays.copyOfRange(sampleWeights, first, first + range.size());
        return new Lane(range, weights, batches.attentionDenominator(), batches.globalBatchSize());
    }

    @Override
    public void close() {
        context.destroy();
    }

    /** What stays the same over all steps. */
    private record Context(String store, QuantizationPlan plan, GradientPTQConfig config, LossWeights weights)
            implements Serializable {}

    /** One lane of one step. */
    private record Lane(StepBatches.Range range, float[][] weights, double denominator, int globalBatchSize)
            implements Serializable {}

    /** A lane -> its gradient. */
    private record ComputeLane(
            Broadcast<SharedModel> model, Broadcast<Context> context, Broadcast<StudentParameters> parameters)
            implements Function<Lane, Outcome<LaneGradient>> {
        @Override
        public Outcome<LaneGradient> call(Lane lane) {
            return Outcome.of(() -> {
                try (ExecutorModels.Lease models = ExecutorModels.lease(model.value())) {
                    return computer(models)
                            .compute(
                                    parameters.value(),
                                    new MicroBatch(
                                            models.readCached(
                                                    context.value().store(),
                                                    lane.range().first(),
                                                    lane.range().size()),
                                            lane.weights(),
                                            lane.denominator(),
                                            lane.globalBatchSize()));
                }
            });
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
