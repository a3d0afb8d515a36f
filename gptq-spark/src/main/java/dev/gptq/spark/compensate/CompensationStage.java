package dev.gptq.spark.compensate;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.StartingKernels;
import dev.gptq.compensate.ErrorCompensation;
import dev.gptq.compensate.InputMoments;
import dev.gptq.compensate.InputMomentsCollector;
import dev.gptq.compensate.KernelGroup;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.spark.data.Outcome;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.BlockTask;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.spark.task.SharedModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;

/**
 * Rounds kernels with error compensation: one pass over the samples for as many layers as have second moments that fit into
 * memory together, then one task for all kernels that read the same rows.
 */
public final class CompensationStage {
    /** Samples of a block. */
    public static final int BLOCK_SIZE = 8;

    /** Numbers that a pass's second moments have at most, 64 MB; those of a single group may be more. */
    static final long PASS_NUMBERS = 1L << 24;

    private static final String STAGE = "compensate";

    private CompensationStage() {}

    /** The passes over all samples for these layers of {@code prepared}: what is measured in each. */
    public static List<List<KernelGroup>> passes(Graph prepared, List<ComparePoint> points) {
        return passes(KernelGroup.of(prepared, points), PASS_NUMBERS);
    }

    /**
     * The kernels that training starts from.
     *
     * @param job blocks of samples for the graph that the plan is for
     * @param damping see {@link ErrorCompensation#starts}
     * @param progress gets the number of blocks done in all passes
     */
    public static StartingKernels run(BlockJob job, QuantizationPlan plan, double damping, LongConsumer progress) {
        return run(job, plan, damping, PASS_NUMBERS, progress);
    }

    static StartingKernels run(
            BlockJob job, QuantizationPlan plan, double damping, long passNumbers, LongConsumer progress) {
        Map<String, TensorData> starts = new HashMap<>();
        long passed = 0;
        for (List<KernelGroup> pass :
                passes(KernelGroup.of(job.model().value().prepared(), plan.points()), passNumbers)) {
            long numbers = pass.stream().mapToLong(KernelGroup::momentCount).sum();
            long before = passed;
            InputMoments moments = job.withResultsOf(numbers * Float.BYTES)
                    .fold(new Measure(plan, pass), STAGE, done -> progress.accept(before + done));
            solve(job, plan, pass, moments, damping, starts);
            passed += job.blocks();
        }
        return new StartingKernels(starts);
    }

    private static List<List<KernelGroup>> passes(List<KernelGroup> groups, long passNumbers) {
        List<List<KernelGroup>> passes = new ArrayList<>();
        long numbers = 0;
        for (KernelGroup group : groups) {
            numbers += group.momentCount();
            if (passes.isEmpty() || numbers > passNumbers) {
                passes.add(new ArrayList<>());
                numbers = group.momentCount();
            }
            passes.get(passes.size() - 1).add(group);
        }
        return passes;
    }

    private static void solve(
            BlockJob job,
            QuantizationPlan plan,
            List<KernelGroup> groups,
            InputMoments moments,
            double damping,
            Map<String, TensorData> starts) {
        Broadcast<InputMoments> shared = job.spark().broadcast(moments);
        try {
            JavaRDD<Outcome<Map<String, TensorData>>> solved =
                    job.spark().parallelize(groups, groups.size()).map(new Solve(job.model(), shared, plan, damping));
            BlockJob.forEach(solved, STAGE, (index, outcome) -> starts.putAll(outcome.get()));
        } finally {
            shared.destroy();
        }
    }

    private record Measure(QuantizationPlan plan, List<KernelGroup> groups) implements BlockTask<InputMoments> {
        @Override
        public InputMoments map(ExecutorModels.Lease models, SampleBatch block) {
            return models.get(
                            "input moments from kernel " + groups.get(0).name(),
                            InputMomentsCollector.class,
                            () -> new InputMomentsCollector(models.floatModel(), plan, groups))
                    .collect(block);
        }

        @Override
        public InputMoments merge(InputMoments earlier, InputMoments later) {
            return earlier.merge(later);
        }
    }

    /** A group of kernels -> their starts. */
    private record Solve(
            Broadcast<SharedModel> model, Broadcast<InputMoments> moments, QuantizationPlan plan, double damping)
            implements Function<KernelGroup, Outcome<Map<String, TensorData>>> {
        @Override
        public Outcome<Map<String, TensorData>> call(KernelGroup group) {
            return Outcome.of(() -> ErrorCompensation.starts(
                    model.value().prepared(),
                    plan,
                    group,
                    moments.value().sums().get(group.name()),
                    damping));
        }
    }
}
