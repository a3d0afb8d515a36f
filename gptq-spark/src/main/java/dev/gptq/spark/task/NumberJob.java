package dev.gptq.spark.task;

import dev.gptq.spark.data.NumberFile;
import dev.gptq.spark.data.NumberStore;
import dev.gptq.spark.data.Outcome;
import dev.gptq.spark.data.StoreIndex;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongConsumer;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;

/** Runs a {@link NumberTask} over the blocks of a sample store; its rows go to a {@link NumberStore}, not to the driver. */
public record NumberJob(BlockJob job, String folder, int columns) {
    /** Whether the whole table is there. */
    public boolean isDone() {
        return NumberStore.isComplete(folder, job.spark().hadoopConfiguration());
    }

    /**
     * Writes the table anew.
     *
     * @param stage the stage's name in messages
     * @param progress gets the number of samples done so far
     */
    public void run(NumberTask task, String stage, LongConsumer progress) {
        NumberStore.delete(folder, job.spark().hadoopConfiguration());
        List<BlockRun> runs = job.runs();
        JavaRDD<Outcome<StoreIndex.StoreFile>> written =
                job.place(job.spark().parallelize(runs, runs.size()).map(new WriteRun(job.reader(), task, folder)));
        StoreIndex.StoreFile[] files = new StoreIndex.StoreFile[runs.size()];
        long[] done = new long[1];
        BlockJob.forEach(written, stage, (index, outcome) -> {
            files[index] = outcome.get();
            done[0] += runs.get(index).blocks();
            progress.accept(Math.min(job.samples(), done[0] * job.blockSize()));
        });
        NumberStore.commit(folder, columns, Arrays.asList(files), job.spark().hadoopConfiguration());
    }

    /** A run of blocks -> the file with its rows. */
    private record WriteRun(BlockJob.SampleReader reader, NumberTask task, String folder)
            implements Function<BlockRun, Outcome<StoreIndex.StoreFile>> {
        @Override
        public Outcome<StoreIndex.StoreFile> call(BlockRun run) {
            return Outcome.of(() -> {
                SharedModel shared = reader.model().value();
                try (ExecutorModels.Lease models = ExecutorModels.lease(shared);
                        NumberFile file = new NumberFile(
                                folder,
                                run.firstBlock(),
                                run.blocks(),
                                shared.hadoop().value())) {
                    for (long block = 0; block < run.blocks(); block++) {
                        file.write(task.map(models, reader.block(models, run.firstBlock() + block)));
                    }
                    return file.commit();
                }
            });
        }
    }
}
