package dev.gptq.spark.data;

import dev.gptq.GptqException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Sorts a source's samples into the canonical order, those of several lengths into windows of it, and writes them; Spark's
 * sort spills, nothing is held in memory.
 */
final class SampleStoreWriter {
    /** Files are cut so that one holds about this much; depends on the dataset only, so that files are reproducible. */
    private static final long FILE_BYTES = 64L << 20;

    private final JavaSparkContext spark;
    private final String folder;
    private final SampleLayout layout;
    private final long seed;
    private final BadRowHandling badRows;

    SampleStoreWriter(JavaSparkContext spark, String folder, SampleLayout layout, long seed, BadRowHandling badRows) {
        this.spark = spark;
        this.folder = folder;
        this.layout = layout;
        this.seed = seed;
        this.badRows = badRows;
    }

    /** Writes the first {@code samples} of {@code count} rows; the index is written last and commits the store. */
    StoreIndex write(SampleSource source, long count, long samples) {
        long cutoff = cutoff(count, samples);
        StoreIndex index = writeFiles(source, samples, cutoff);
        while (index.samples() < samples && cutoff < OrderKey.MAX_HASH) {
            // Less samples under the cutoff than asked for: improbable, unless many rows are bad.
            cutoff = cutoff > OrderKey.MAX_HASH / 2 ? OrderKey.MAX_HASH : 2 * cutoff;
            index = writeFiles(source, samples, cutoff);
        }
        if (index.samples() + index.badRows() < samples) {
            throw GptqException.badInput(
                    "Cannot read dataset: it changed while it was read. Run again when nobody writes to it.");
        }
        if (index.samples() == 0) {
            throw GptqException.badInput(
                    "Cannot use the dataset: all of its %d rows are bad. Set bad_rows to fail to see why.",
                    index.badRows());
        }
        try {
            index = layout.hasLengths() ? LengthBuckets.sort(index, folder, spark) : index;
            Path path = new Path(folder, StoreIndex.FILE_NAME);
            try (FSDataOutputStream out =
                    Files.of(path, spark.hadoopConfiguration()).create(path, true)) {
                out.write(index.toJson().getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw unwritable(e, folder);
        } catch (Exception e) {
            throw SparkFailures.translate(e, "prepare samples in '" + folder + "'", "Check the storage.");
        }
        return index;
    }

    /** A bound that the hash of the last sample wanted does not pass, with a margin of six standard deviations. */
    private static long cutoff(long count, long samples) {
        double fraction = (samples + 6 * Math.sqrt(samples) + 36) / count;
        return samples == count || fraction >= 1 ? OrderKey.MAX_HASH : (long) (fraction * OrderKey.MAX_HASH);
    }

    /** The store of the samples up to {@code cutoff}, but no more than {@code samples}. */
    private StoreIndex writeFiles(SampleSource source, long samples, long cutoff) {
        int partitions = Math.toIntExact(Math.max(1, samples * layout.recordBytes() / FILE_BYTES));
        JavaPairRDD<OrderKey, byte[]> sorted = source.samples(new SampleKeys(seed, cutoff, !badRows.fails()))
                .repartitionAndSortWithinPartitions(new KeyPartitioner(partitions, cutoff));
        var hadoop = spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        try {
            List<StoreFileTask.Result> results =
                    sorted.mapPartitionsWithIndex(new StoreFileTask(folder, badRows, hadoop), true).collect().stream()
                            .map(Outcome::get)
                            .toList();
            List<StoreIndex.StoreFile> files = results.stream()
                    .map(StoreFileTask.Result::file)
                    .filter(file -> file.samples() > 0)
                    .toList();
            long written =
                    files.stream().mapToLong(StoreIndex.StoreFile::samples).sum();
            long bad = results.stream().mapToLong(StoreFileTask.Result::badRows).sum();
            return new StoreIndex(layout, Math.min(samples, written), files, bad);
        } catch (GptqException e) {
            throw e;
        } catch (Exception e) {
            throw SparkFailures.translate(
                    e, "prepare samples in '" + folder + "'", "Check the dataset and the storage.");
        } finally {
            hadoop.destroy();
        }
    }

    static GptqException unwritable(IOException cause, String folder) {
        return GptqException.io(
                cause,
                "Cannot write samples to '%s': %s. Check access rights and free space.",
                folder,
                Files.firstLine(cause));
    }
}
