package dev.gptq.spark.task;

import dev.gptq.graph.SampleBatch;
import dev.gptq.spark.data.Outcome;
import dev.gptq.spark.data.SparkFailures;
import java.io.Serializable;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.LongConsumer;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import scala.collection.Iterator;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;
import scala.runtime.AbstractFunction2;
import scala.runtime.BoxedUnit;

/**
 * Runs a {@link BlockTask} over the blocks of a sample store as one Spark job and folds the results in block order. The
 * result has the same bits for any number of tasks; the driver holds a few results at a time.
 *
 * @param store folder of the sample store
 * @param samples the first samples of the store are used
 * @param blockSize samples per block; the last block may be smaller
 * @param tasks into how many tasks the job is cut at most
 */
public record BlockJob(
        JavaSparkContext spark, Broadcast<SharedModel> model, String store, long samples, int blockSize, int tasks) {
    /** Tasks per core: enough to level out slow ones. */
    private static final int TASKS_PER_CORE = 4;

    /** What all tasks together may send to the driver, a quarter of Spark's default spark.driver.maxResultSize. */
    static final long RESULT_BYTES = 1L << 28;

    /** A job cut for the cluster at hand. */
    public static BlockJob of(
            JavaSparkContext spark, Broadcast<SharedModel> model, String store, long samples, int blockSize) {
        return new BlockJob(spark, model, store, samples, blockSize, spark.defaultParallelism() * TASKS_PER_CORE);
    }

    /** The same job, in fewer tasks where results of {@code bytes} each would be too much for the driver. */
    public BlockJob withResultsOf(long bytes) {
        return new BlockJob(spark, model, store, samples, blockSize, tasks(bytes, tasks));
    }

    /** At most {@code tasks}, fewer where results of {@code bytes} each would be too much for the driver, but one. */
    static int tasks(long bytes, int tasks) {
        return (int) Math.max(1, Math.min(tasks, RESULT_BYTES / Math.max(1, bytes)));
    }

    /** Number of blocks. */
    public long blocks() {
        return (samples + blockSize - 1) / blockSize;
    }

    /** One run of blocks per task. */
    public List<BlockRun> runs() {
        return BlockRun.cut(blocks(), tasks);
    }

    /** Makes the stage that computes {@code rdd} ask for the devices that its tasks need. */
    public <T> JavaRDD<T> place(JavaRDD<T> rdd) {
        return model.value().devices().place(rdd);
    }

    /**
     * Maps and folds all blocks.
     *
     * @param stage the stage's name in messages
     * @param progress gets the number of blocks done so far
     */
    public <T> T fold(BlockTask<T> task, String stage, LongConsumer progress) {
        return fold(new ReadBlock<>(store, task), stage, progress);
    }

    /** As the other one, for tasks that read by themselves what they need. */
    public <T> T fold(RangeTask<T> task, String stage, LongConsumer progress) {
        List<BlockRun> runs = runs();
        OrderedFold<T> fold = new OrderedFold<>(blocks(), task::merge);
        JavaRDD<Outcome<T>> mapped = spark.parallelize(runs, runs.size()).map(new FoldRun<>(reader(), task));
        JavaRDD<Outcome<T>> results = task.usesDevice() ? place(mapped) : mapped;
        long[] done = new long[1];
        forEach(results, stage, (index, outcome) -> {
            BlockRun run = runs.get(index);
            fold.accept(run.level(), run.index(), outcome.get());
            done[0] += run.blocks();
            progress.accept(done[0]);
        });
        return fold.result();
    }

    /**
     * Computes an RDD of one element per partition and hands elements over as they come, one call at a time; what the
     * consumer throws ends the job.
     */
    public static <T> void forEach(JavaRDD<T> results, String stage, BiConsumer<Integer, T> consumer) {
        ClassTag<T> tag = ClassTag$.MODULE$.apply(Object.class);
        try {
            results.context().runJob(results.rdd(), new First<T>(), new Handler<>(consumer), tag);
        } catch (Exception e) {
            throw SparkFailures.translate(e, "finish stage '" + stage + "'", "See the executors' logs.");
        }
    }

    SampleReader reader() {
        return new SampleReader(model, store, samples, blockSize);
    }

    /** Reads blocks on executors. */
    record SampleReader(Broadcast<SharedModel> model, String store, long samples, int blockSize)
            implements Serializable {
        SampleBatch block(ExecutorModels.Lease models, long block) {
            return models.read(store, block * blockSize, size(block));
        }

        int size(long block) {
            return Math.toIntExact(Math.min(blockSize, samples - block * blockSize));
        }
    }

    /** A task on samples as one on their range. */
    private record ReadBlock<T>(String store, BlockTask<T> task) implements RangeTask<T> {
        @Override
        public T map(ExecutorModels.Lease models, long first, int size) {
            return task.map(models, models.read(store, first, size));
        }

        @Override
        public T merge(T earlier, T later) {
            return task.merge(earlier, later);
        }

        @Override
        public boolean usesDevice() {
            return task.usesDevice();
        }
    }

    /** A run of blocks -> its folded result. */
    private record FoldRun<T>(SampleReader reader, RangeTask<T> task) implements Function<BlockRun, Outcome<T>> {
        @Override
        public Outcome<T> call(BlockRun run) {
            return Outcome.of(() -> {
                OrderedFold<T> fold = new OrderedFold<>(run.blocks(), task::merge);
                try (ExecutorModels.Lease models =
                        ExecutorModels.lease(reader.model().value())) {
                    for (long i = 0; i < run.blocks(); i++) {
                        long block = run.firstBlock() + i;
                        fold.accept(0, i, task.map(models, block * reader.blockSize(), reader.size(block)));
                    }
                }
                return fold.result();
            });
        }
    }

    /** The only element of a partition. */
    private static final class First<T> extends AbstractFunction1<Iterator<T>, T> implements Serializable {
        @Override
        public T apply(Iterator<T> elements) {
            return elements.next();
        }
    }

    private static final class Handler<T> extends AbstractFunction2<Object, T, BoxedUnit> {
        private final BiConsumer<Integer, T> consumer;

        Handler(BiConsumer<Integer, T> consumer) {
            this.consumer = consumer;
        }

        @Override
        public BoxedUnit apply(Object index, T value) {
            consumer.accept((Integer) index, value);
            return BoxedUnit.UNIT;
        }
    }
}
