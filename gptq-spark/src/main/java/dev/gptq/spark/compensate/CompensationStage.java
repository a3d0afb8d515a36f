package dev.gptq.spark.compensate;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.StartingKernels;
import dev.gptq.compensate.ErrorCompensation;
import dev.gptq.compensate.InputMoments;
import dev.gptq.compensate.InputMomentsCollector;
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
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;

/**
 * Rounds kernels with error compensation: layers in groups whose second moments fit into memory together, one pass over the
 * samples per group, then one task per kernel.
 */
public final class CompensationStage {
    /** Samples of a block. */
    public static final int BLOCK_SIZE = 8;

    /** Numbers that a group's second moments have at most, 64 MB; those of a single kernel may be more. */
    static final long GROUP_NUMBERS = 1L << 24;

    private static final String STAGE = "compensate";

    private CompensationStage() {}

    /** Passes over the samples. */
    public static int passes(QuantizationPlan plan, SharedModel model) {
        return groups(ErrorCompensation.kernels(model.prepared(), plan), GROUP_NUMBERS)
                .size();
    }

    /**
     * The kernels that training starts from.
     *
     * @param job blocks of samples for the graph that the plan is for
     * @param damping see {@link ErrorCompensation#start}
     * @param progress gets the number of blocks done in all passes
     */
    public static StartingKernels run(BlockJob job, QuantizationPlan plan, double damping, LongConsumer progress) {
        return run(job, plan, damping, GROUP_NUMBERS, progress);
    }

    static StartingKernels run(
            BlockJob job, QuantizationPlan plan, double damping, long groupNumbers, LongConsumer progress) {
        Map<String, TensorData> starts = new HashMap<>();
        long passed = 0;
        for (List<ErrorCompensation.Kernel> group :
                groups(ErrorCompensation.kernels(job.model().value().prepared(), plan), groupNumbers)) {
            long numbers =
                    group.stream().mapToLong(ErrorCompensation.Kernel::moments).sum();
            Set<String> names =
                    group.stream().map(ErrorCompensation.Kernel::name).collect(Collectors.toUnmodifiableSet());
            long before = passed;
            InputMoments moments = job.withResultsOf(numbers * Float.BYTES)
                    .fold(new Measure(plan, names, starts.size()), STAGE, done -> progress.accept(before + done));
            solve(job, plan, group, moments, damping, starts);
            passed += job.blocks();
        }
        return new StartingKernels(starts);
    }

    private static List<List<ErrorCompensation.Kernel>> groups(
            List<ErrorCompensation.Kernel> kernels, long groupNumbers) {
        List<List<ErrorCompensation.Kernel>> groups = new ArrayList<>();
        long numbers = 0;
        for (ErrorCompensation.Kernel kernel : kernels) {
            numbers += kernel.moments();
            if (groups.isEmpty() || numbers > groupNumbers) {
                groups.add(new ArrayList<>());
                numbers = kernel.moments();
            }
            groups.get(groups.size() - 1).add(kernel);
        }
        return groups;
    }

    private static void solve(
            BlockJob job,
            QuantizationPlan plan,
            List<ErrorCompensation.Kernel> group,
            InputMoments moments,
            double damping,
            Map<String, TensorData> starts) {
        List<String> names = group.stream().map(ErrorCompensation.Kernel::name).toList();
        Broadcast<InputMoments> shared = job.spark().broadcast(moments);
        try {
            JavaRDD<Outcome<TensorData>> solved =
                    job.spark().parallelize(names, names.size()).map(new Solve(job.model(), shared, plan, damping));
            BlockJob.forEach(solved, STAGE, (index, outcome) -> starts.put(names.get(index), outcome.get()));
        } finally {
            shared.destroy();
        }
    }

    private record Measure(QuantizationPlan plan, Set<String> kernels, int first) implements BlockTask<InputMoments> {
        @Override
        public InputMoments map(ExecutorModels.Lease models, SampleBatch block) {
            return models.get(
                            "input moments from kernel " + first,
                            InputMomentsCollector.class,
                            () -> new InputMomentsCollector(models.floatModel(), plan, kernels))
                    .collect(block);
        }

        @Override
        public InputMoments merge(InputMoments earlier, InputMoments later) {
            return earlier.merge(later);
        }
    }

    /** The name of a kernel -> its start. */
    private record Solve(
            Broadcast<SharedModel> model, Broadcast<InputMoments> moments, QuantizationPlan plan, double damping)
            implements Function<String, Outcome<TensorData>> {
        @Override
        public Outcome<TensorData> call(String kernel) {
            return Outcome.of(() -> ErrorCompensation.start(
                    model.value().prepared(),
                    plan,
                    kernel,
                    moments.value().sums().get(kernel),
                    damping));
        }
    }
}
