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
        return job.withResultsOf(elements * Float.BYTES)
                .fold(new SumHessians(List.copyOf(points), seed), "calibrate", progress)
                .means(points);
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
