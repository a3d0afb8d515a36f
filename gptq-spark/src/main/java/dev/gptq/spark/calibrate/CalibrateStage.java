package dev.gptq.spark.calibrate;

import dev.gptq.calibrate.BlockStatistics;
import dev.gptq.calibrate.StatisticsCollector;
import dev.gptq.graph.SampleBatch;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.BlockTask;
import dev.gptq.spark.task.ExecutorModels;
import java.util.function.LongConsumer;

/** Activation statistics of the whole calibration dataset. */
public final class CalibrateStage {
    /** Samples per block; part of the result's identity, for sums depend on it. */
    public static final int BLOCK_SIZE = 32;

    private CalibrateStage() {}

    /** {@code progress} gets the number of blocks done. */
    public static BlockStatistics run(BlockJob job, LongConsumer progress) {
        return job.fold(new CollectStatistics(), "calibrate", progress);
    }

    private static final class CollectStatistics implements BlockTask<BlockStatistics> {
        @Override
        public BlockStatistics map(ExecutorModels.Lease models, SampleBatch block) {
            return models.get(
                            "statistics", StatisticsCollector.class, () -> new StatisticsCollector(models.floatModel()))
                    .collect(block);
        }

        @Override
        public BlockStatistics merge(BlockStatistics earlier, BlockStatistics later) {
            return earlier.merge(later);
        }
    }
}
