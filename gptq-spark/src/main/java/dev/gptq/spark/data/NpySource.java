package dev.gptq.spark.data;

import dev.gptq.GptqException;
import dev.gptq.config.DatasetConfig;
import dev.gptq.graph.TensorData;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;

/** One .npy file, or .npz archives (files, folders or globs), each read by one task. */
final class NpySource implements SampleSource {
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
        Configuration hadoop = spark.hadoopConfiguration();
        NpySource source = new NpySource(spark, config, encoder, Files.dataFiles(config.paths(), hadoop));
        for (FileStatus file : source.files) {
            source.count += source.checkFile(file.getPath(), hadoop);
        }
        return source;
    }

    /** Checks the headers of the arrays in use; returns the number of rows. */
    private long checkFile(Path file, Configuration hadoop) {
        long rows = -1;
        for (int input = 0; input < encoder.mappings().size(); input++) {
            String column = encoder.mappings().get(input).column();
            SampleLayout.Input layout = encoder.layout().inputs().get(input);
            NpyHeader header = header(file, column, hadoop);
            if (TensorData.elementCount(header.rowShape()) != layout.elements()
                    || (header.rowShape().length == layout.shape().length
                            && !Arrays.equals(header.rowShape(), layout.shape()))) {
                throw GptqException.badInput(
                        "Cannot use array '%s' of '%s': a sample has shape %s, model input '%s' takes %s. Correct the data"
                                + " or the input's 'shape'.",
                        column,
                        file,
                        Arrays.toString(header.rowShape()),
                        layout.name(),
                        Arrays.toString(layout.shape()));
            }
            rows = sameRows(rows, header, column, file);
        }
        for (String column : Arrays.asList(config.label(), config.id())) {
            if (column != null) {
                NpyHeader header = header(file, column, hadoop);
                if (!header.isInteger() || TensorData.elementCount(header.rowShape()) != 1) {
                    throw GptqException.badInput(
                            "Cannot use array '%s' of '%s' as label or id: it does not hold one integer per sample. Give an"
                                    + " integer array.",
                            column, file);
                }
                rows = sameRows(rows, header, column, file);
            }
        }
        return rows;
    }

    private static NpyHeader header(Path file, String column, Configuration hadoop) {
        try (NpyArray array = NpyArray.open(file, column, hadoop)) {
            return array.header();
        } catch (IOException e) {
            throw Files.unreadable(e, "dataset", file.toString());
        }
    }

    private static long sameRows(long rows, NpyHeader header, String column, Path file) {
        if (rows >= 0 && rows != header.rows()) {
            throw GptqException.badInput(
                    "Cannot use array '%s' of '%s': it has %d rows, another array has %d. Give arrays of equal length.",
                    column, file, header.rows(), rows);
        }
        return header.rows();
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
        return Files.identity(files);
    }

    @Override
    public JavaPairRDD<OrderKey, byte[]> samples(SampleKeys keys) {
        List<String> paths =
                files.stream().map(file -> file.getPath().toString()).toList();
        var hadoop = spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        return spark.parallelize(paths, paths.size())
                .flatMapToPair(new NpyRows(encoder, keys, config.id(), config.label(), hadoop));
    }
}
