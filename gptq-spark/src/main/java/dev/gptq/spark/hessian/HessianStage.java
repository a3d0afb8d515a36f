package dev.gptq.spark.hessian;

import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.hessian.HessianScorer;
import dev.gptq.spark.data.Outcome;
import dev.gptq.spark.data.SparkFailures;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.BlockRun;
import dev.gptq.spark.task.ExecutorModels;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;

/** Hessian scores of every sample and compare point, kept as a Parquet table. */
public final class HessianStage {
    /** The column with the sample's index in the calibration store; the others are compare points. */
    static final String SAMPLE = "sample";

    private HessianStage() {}

    /**
     * Scores the job's samples and writes the table: one row per sample ({@code sample} long), one double column per
     * compare point.
     *
     * @param progress gets the number of samples done
     */
    public static void run(
            SparkSession spark,
            BlockJob job,
            List<ComparePoint> points,
            GPTQHessianScoresConfig config,
            long seed,
            String table,
            LongConsumer progress) {
        List<BlockRun> runs = job.runs();
        BlockJob.SampleReader reader =
                new BlockJob.SampleReader(job.model(), job.store(), job.samples(), job.blockSize());
        JavaRDD<Outcome<ArrayList<Row>>> scored = job.spark()
                .parallelize(runs, runs.size())
                .map(new ScoreRun(reader, List.copyOf(points), config, seed))
                .persist(StorageLevel.MEMORY_AND_DISK());
        try {
            long[] done = new long[1];
            // Computed here for progress and for failures without retries; the write below reads what was computed.
            BlockJob.forEach(scored.map(new Count()), "hessian", (index, count) -> {
                done[0] += count.get();
                progress.accept(done[0]);
            });
            spark.createDataFrame(scored.flatMap(outcome -> outcome.get().iterator()), schema(points))
                    .coalesce(job.spark().defaultParallelism())
                    .write()
                    .mode(SaveMode.Overwrite)
                    .parquet(table);
        } catch (Exception e) {
            throw SparkFailures.translate(e, "write '" + table + "'", "Check access rights and free space.");
        } finally {
            scored.unpersist(false);
        }
    }

    /** Reads the table back: [sample][compare point]. */
    public static double[][] read(SparkSession spark, String table, List<ComparePoint> points) {
        try {
            List<Row> rows = spark.read().schema(schema(points)).parquet(table).collectAsList();
            double[][] scores = new double[rows.size()][points.size()];
            for (Row row : rows) {
                double[] sample = scores[Math.toIntExact(row.getLong(0))];
                for (int point = 0; point < sample.length; point++) {
                    sample[point] = row.getDouble(point + 1);
                }
            }
            return scores;
        } catch (Exception e) {
            throw SparkFailures.translate(e, "read '" + table + "'", "Start again with --set output.overwrite=true.");
        }
    }

    private static StructType schema(List<ComparePoint> points) {
        StructType schema = new StructType().add(SAMPLE, DataTypes.LongType, false);
        for (ComparePoint point : points) {
            schema = schema.add(point.name(), DataTypes.DoubleType, false);
        }
        return schema;
    }

    /** A run of blocks -> rows. */
    private record ScoreRun(
            BlockJob.SampleReader reader, List<ComparePoint> points, GPTQHessianScoresConfig config, long seed)
            implements Function<BlockRun, Outcome<ArrayList<Row>>> {
        @Override
        public Outcome<ArrayList<Row>> call(BlockRun run) {
            return Outcome.of(() -> {
                ArrayList<Row> rows = new ArrayList<>();
                try (ExecutorModels.Lease models =
                        ExecutorModels.lease(reader.model().value())) {
                    HessianScorer scorer = models.get(
                            "hessian",
                            HessianScorer.class,
                            () -> new HessianScorer(models.floatModel(), points, config, seed));
                    for (long block = 0; block < run.blocks(); block++) {
                        addRows(rows, scorer, reader.block(models, run.firstBlock() + block));
                    }
                }
                return rows;
            });
        }

        private static void addRows(List<Row> rows, HessianScorer scorer, dev.gptq.graph.SampleBatch batch) {
            double[][] scores = scorer.score(batch);
            for (int sample = 0; sample < scores.length; sample++) {
                Object[] values = new Object[scores[sample].length + 1];
                values[0] = batch.firstIndex() + sample;
                for (int point = 0; point < scores[sample].length; point++) {
                    values[point + 1] = scores[sample][point];
                }
                rows.add(RowFactory.create(values));
            }
        }
    }

    /** Rows of a run -> their number, for progress. */
    private static final class Count implements Function<Outcome<ArrayList<Row>>, Outcome<Integer>> {
        @Override
        public Outcome<Integer> call(Outcome<ArrayList<Row>> rows) {
            return rows.failure() == null
                    ? new Outcome<>(rows.value().size(), null)
                    : new Outcome<>(null, rows.failure());
        }
    }
}
