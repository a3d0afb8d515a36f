package dev.gptq.spark.hessian;

import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.SampleBatch;
import dev.gptq.hessian.HessianScorer;
import dev.gptq.hessian.LossWeights;
import dev.gptq.hessian.ScoreSums;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.spark.task.NumberJob;
import dev.gptq.spark.task.NumberTask;
import dev.gptq.spark.task.RangeTask;
import java.util.List;
import java.util.function.LongConsumer;

/** Hessian scores of samples and compare points, kept beside the samples, and the loss weights that follow from them. */
public final class HessianStage {
    private static final String STAGE = "hessian";

    private HessianStage() {}

    /** The table of scores in {@code folder}: one row per sample of {@code job}, one column per compare point. */
    public static NumberJob table(BlockJob job, String folder, List<ComparePoint> points) {
        return new NumberJob(job, folder, points.size());
    }

    /**
     * Scores the job's samples and writes the table.
     *
     * @param progress gets the number of samples done
     */
    public static void score(
            NumberJob table,
            List<ComparePoint> points,
            GPTQHessianScoresConfig config,
            long seed,
            LongConsumer progress) {
        table.run(new Score(List.copyOf(points), config, seed), STAGE, progress);
    }

    /** The weights that a table's scores give; the driver holds sums over samples only. */
    public static LossWeights weights(NumberJob table, GPTQHessianScoresConfig config) {
        return LossWeights.of(table.job().fold(new SumScores(table.folder(), config), STAGE, done -> {}), config);
    }

    private record Score(List<ComparePoint> points, GPTQHessianScoresConfig config, long seed) implements NumberTask {
        @Override
        public double[][] map(ExecutorModels.Lease models, SampleBatch block) {
            return models.get(
                            STAGE,
                            HessianScorer.class,
                            () -> new HessianScorer(models.floatModel(), points, config, seed))
                    .score(block);
        }
    }

    private record SumScores(String folder, GPTQHessianScoresConfig config) implements RangeTask<ScoreSums> {
        @Override
        public ScoreSums map(ExecutorModels.Lease models, long first, int size) {
            return ScoreSums.of(models.numbers(folder).read(first, size), config);
        }

        @Override
        public ScoreSums merge(ScoreSums earlier, ScoreSums later) {
            return earlier.merge(later);
        }
    }
}
