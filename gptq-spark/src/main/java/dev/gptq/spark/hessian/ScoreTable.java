package dev.gptq.spark.hessian;

import dev.gptq.graph.ComparePoint;
import dev.gptq.spark.data.NumberStore;
import dev.gptq.spark.data.SparkFailures;
import dev.gptq.spark.task.BlockRun;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/** Hessian scores as a Parquet table for people and their tools; the run itself reads the {@link NumberStore}. */
public final class ScoreTable {
    /** The column with the sample's index in the calibration store; the others are compare points. */
    private static final String SAMPLE = "sample";

    private static final int ROWS_AT_ONCE = 1024;

    private ScoreTable() {}

    /** Writes one row per sample ({@code sample} long) with one double column per compare point, in the samples' order. */
    public static void write(SparkSession session, String scores, List<ComparePoint> points, String table) {
        JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
        long rows = NumberStore.open(scores, spark.hadoopConfiguration()).rows();
        long chunks = (rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
        List<BlockRun> runs = BlockRun.cut(chunks, spark.defaultParallelism());
        Broadcast<SerializableConfiguration> hadoop =
                spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        try {
            JavaRDD<Row> read = spark.parallelize(runs, runs.size()).flatMap(new ReadScores(scores, hadoop));
            session.createDataFrame(read, schema(points))
                    .write()
                    .mode(SaveMode.Overwrite)
                    .parquet(table);
        } catch (Exception e) {
            throw SparkFailures.translate(e, "write '" + table + "'", "Check access rights and free space.");
        } finally {
            hadoop.destroy();
        }
    }

    private static StructType schema(List<ComparePoint> points) {
        StructType schema = new StructType().add(SAMPLE, DataTypes.LongType, false);
        for (ComparePoint point : points) {
            schema = schema.add(point.name(), DataTypes.DoubleType, false);
        }
        return schema;
    }

    /** A run of chunks -> the rows, chunk by chunk. */
    private record ReadScores(String scores, Broadcast<SerializableConfiguration> hadoop)
            implements FlatMapFunction<BlockRun, Row> {
        @Override
        public Iterator<Row> call(BlockRun run) {
            NumberStore store = NumberStore.open(scores, hadoop.value().value());
            return LongStream.range(run.firstBlock(), run.firstBlock() + run.blocks())
                    .boxed()
                    .flatMap(chunk -> rows(store, chunk * ROWS_AT_ONCE))
                    .iterator();
        }

        private static Stream<Row> rows(NumberStore store, long first) {
            double[][] rows = store.read(first, (int) Math.min(ROWS_AT_ONCE, store.rows() - first));
            return IntStream.range(0, rows.length).mapToObj(i -> row(first + i, rows[i]));
        }

        private static Row row(long sample, double[] scores) {
            Object[] values = new Object[scores.length + 1];
            values[0] = sample;
            for (int point = 0; point < scores.length; point++) {
                values[point + 1] = scores[point];
            }
            return RowFactory.create(values);
        }
    }
}
