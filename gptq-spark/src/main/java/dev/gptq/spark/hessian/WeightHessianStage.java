package dev.gptq.spark.hessian;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.hessian.WeightHessian;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.BlockTask;
import dev.gptq.spark.task.ExecutorModels;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/** Hessians of kernels, element by element, averaged over samples. The driver holds a few arrays of the kernels' size. */
public final class WeightHessianStage {
    /** What all tasks together may send to the driver, a quarter of Spark's default spark.driver.maxResultSize. */
    static final long RESULT_BYTES = 1L << 28;

    private WeightHessianStage() {}

    /**
     * The Hessian of each of {@code points} by layer name.
     *
     * @param job blocks of one sample each
     * @param progress gets the number of samples done
     */
    public static Map<String, float[]> run(BlockJob job, List<ComparePoint> points, long seed, LongConsumer progress) {
        Graph graph = job.model().value().prepared();
        long elements = points.stream()
                .mapToLong(point -> graph.constants().get(point.weight()).size())
                .sum();
        BlockJob bounded = new BlockJob(
                job.spark(),
                job.model(),
                job.store(),
                job.samples(),
                job.blockSize(),
                tasks(elements * Float.BYTES, job.tasks()));
        return bounded.fold(new SumHessians(List.copyOf(points), seed), "calibrate", progress)
                .means(points);
    }

    /** At most {@code tasks}, fewer where results of {@code bytes} each would be too much for the driver, but one. */
    static int tasks(long bytes, int tasks) {
        return (int) Math.max(1, Math.min(tasks, RESULT_BYTES / bytes));
    }

    private record SumHessians(List<ComparePoint> points, long seed) implements BlockTask<WeightHessian.Sums> {
        @Override
        public WeightHessian.Sums map(ExecutorModels.Lease models, SampleBatch block) {
            return models.get(
                            "weight hessian",
                            WeightHessian.class,
                            () -> new WeightHessian(models.floatModel(), points, seed))
                    .of(block);
        }

        @Override
        public WeightHessian.Sums merge(WeightHessian.Sums earlier, WeightHessian.Sums later) {
            return earlier.merge(later);
        }
    }
}
