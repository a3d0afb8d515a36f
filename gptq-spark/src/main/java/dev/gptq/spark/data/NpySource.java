package dev.gptq.spark.data;

import dev.gptq.config.DatasetConfig;
import java.util.List;
import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;

/** Files .npy or .npz (by name, in folders or by globs), each read by one task; the driver holds their names. */
final class NpySource implements SampleSource {
    private static final int CHECKED_HERE = 16;
    private static final int SLICES_PER_CORE = 16;

    private final JavaSparkContext spark;
    private final DatasetConfig config;
    private final SampleEncoder encoder;
    private final List<FileStatus> files;
    private long count;

    private NpySource(JavaSparkContext spark, DatasetConfig config, SampleEncoder encoder, List<FileStatus> files) {
        this.spark = spark;
        this.config = config;
        this.encoder = encoder;
        this.files = files;
    }

    static NpySource open(JavaSparkContext spark, DatasetConfig config, SampleEncoder encoder) {
        List<FileStatus> files = Files.dataFiles(config.paths(), spark.hadoopConfiguration());
        NpySource source = new NpySource(spark, config, encoder, files);
        source.check();
        return source;
    }

    /** Reads all headers; those of many files in tasks, for a store may take a while to answer for each. */
    private void check() {
        NpyHeaders headers = new NpyHeaders(encoder, config.label(), config.id());
        if (files.size() <= CHECKED_HERE) {
            for (FileStatus file : files) {
                count += headers.rows(file.getPath(), spark.hadoopConfiguration());
            }
            return;
        }
        try {
            List<Outcome<Long>> rows = spark.parallelize(paths(), slices())
                    .map(headers.onExecutors(spark))
                    .collect();
            count = rows.stream().mapToLong(Outcome::get).sum();
        } catch (Exception e) {
            throw SparkFailures.translate(e, "read dataset '" + config.path() + "'", "Check the storage.");
        }
    }

    private List<String> paths() {
        return files.stream().map(file -> file.getPath().toString()).toList();
    }

    private int slices() {
        return Math.max(1, Math.min(files.size(), SLICES_PER_CORE * spark.defaultParallelism()));
    }

    @Override
    public long count() {
        return count;
    }

    @Override
    public boolean knowsIds() {
        return false;
    }

    @Override
    public List<String> identity() {
        return FileSummary.of(files).identity();
    }

    @Override
    public JavaPairRDD<OrderKey, byte[]> samples(SampleKeys keys) {
        var hadoop = spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        return spark.parallelize(paths(), slices())
                .flatMapToPair(new NpyRows(encoder, keys, config.id(), config.label(), hadoop));
    }
}
