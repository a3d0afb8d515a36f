package dev.gptq.spark.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/**
 * The files of image folders as a table of paths, as Spark's source {@code binaryFile} has it but for the content. That source
 * holds all names on the driver; here tasks list folders whenever they read them.
 */
final class ImageFiles {
    private static final StructType SCHEMA = new StructType()
            .add(TableReader.PATH, DataTypes.StringType, false)
            .add("modificationTime", DataTypes.TimestampType, false)
            .add("length", DataTypes.LongType, false);

    private final JavaRDD<ListedFile> files;
    private final boolean uneven;
    private final FileSummary summary;

    private ImageFiles(JavaRDD<ListedFile> files, boolean uneven, FileSummary summary) {
        this.files = files;
        this.uneven = uneven;
        this.summary = summary;
    }

    /** Lists them once; {@code folders}: whether to remember the names of their folders. */
    static ImageFiles list(List<String> locations, boolean folders, JavaSparkContext spark) {
        Configuration hadoop = spark.hadoopConfiguration();
        String action = "read dataset '" + String.join(", ", locations) + "'";
        try {
            List<ListedFile> parts = ListedFile.parts(locations, hadoop);
            int slices = Math.max(1, Math.min(parts.size(), slices(spark)));
            JavaRDD<ListedFile> files = spark.parallelize(parts, slices)
                    .flatMap(new Listing(spark.broadcast(new SerializableConfiguration(hadoop))));
            FileSummary summary = files.mapPartitions(new FileSummary.OfFiles(folders)).collect().stream()
                    .reduce(FileSummary.empty(), FileSummary::plus);
            return new ImageFiles(files, parts.stream().anyMatch(ListedFile::isFolder), summary);
        } catch (Exception e) {
            throw SparkFailures.translate(e, action, "Check access rights and the storage.");
        }
    }

    private static int slices(JavaSparkContext spark) {
        return 4 * spark.defaultParallelism();
    }

    FileSummary summary() {
        return summary;
    }

    Dataset<Row> table(SparkSession spark) {
        return spark.createDataFrame(
                files.map(
                        file -> RowFactory.create(file.path(), new java.sql.Timestamp(file.modified()), file.length())),
                SCHEMA);
    }

    /** Rows to decode, spread over all tasks where some list more than others; only paths move. */
    JavaRDD<Row> spread(JavaRDD<Row> rows, JavaSparkContext spark) {
        return uneven ? rows.repartition(Math.max(rows.getNumPartitions(), slices(spark))) : rows;
    }

    /** A part -> its files. */
    private record Listing(Broadcast<SerializableConfiguration> hadoop)
            implements FlatMapFunction<ListedFile, ListedFile> {
        @Override
        public Iterator<ListedFile> call(ListedFile part) throws IOException {
            RemoteIterator<ListedFile> files = part.files(hadoop.value().value());
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    try {
                        return files.hasNext();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }

                @Override
                public ListedFile next() {
                    try {
                        return files.next();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            };
        }
    }
}
