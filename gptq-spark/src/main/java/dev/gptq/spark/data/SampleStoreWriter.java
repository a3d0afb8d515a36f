package dev.gptq.spark.data;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/** Sorts a source's samples into the canonical order and writes them; Spark's sort spills, nothing is held in memory. */
final class SampleStoreWriter {
    /** Files are cut so that one holds about this much; depends on the dataset only, so that files are reproducible. */
    private static final long FILE_BYTES = 64L << 20;

    private final JavaSparkContext spark;
    private final String folder;
    private final SampleLayout layout;
    private final long seed;

    SampleStoreWriter(JavaSparkContext spark, String folder, SampleLayout layout, long seed) {
        this.spark = spark;
        this.folder = folder;
        this.layout = layout;
        this.seed = seed;
    }

    /** Writes the first {@code samples} of {@code count} samples; the index is written last and commits the store. */
    StoreIndex write(SampleSource source, long count, long samples) {
        StoreIndex index = writeFiles(source, samples, cutoff(count, samples));
        if (index == null) {
            // Less samples under the cutoff than asked for: improbable, so the whole dataset is sorted only then.
            index = writeFiles(source, samples, OrderKey.MAX_HASH);
        }
        if (index == null) {
            throw GptqException.badInput(
                    "Cannot read dataset: it changed while it was read. Run again when nobody writes to it.");
        }
        try {
            Path path = new Path(folder, StoreIndex.FILE_NAME);
            try (FSDataOutputStream out =
                    Files.of(path, spark.hadoopConfiguration()).create(path, true)) {
                out.write(index.toJson().getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw unwritable(e, folder);
        }
        return index;
    }

    /** A bound that the hash of the last sample wanted does not pass, with a margin of six standard deviations. */
    private static long cutoff(long count, long samples) {
        double fraction = (samples + 6 * Math.sqrt(samples) + 36) / count;
        return samples == count || fraction >= 1 ? OrderKey.MAX_HASH : (long) (fraction * OrderKey.MAX_HASH);
    }

    /** Null when fewer than {@code samples} have a key up to {@code cutoff}. */
    private StoreIndex writeFiles(SampleSource source, long samples, long cutoff) {
        int partitions = Math.toIntExact(Math.max(1, samples * layout.recordBytes() / FILE_BYTES));
        JavaPairRDD<OrderKey, byte[]> sorted = source.samples(new SampleKeys(seed, cutoff))
                .repartitionAndSortWithinPartitions(new KeyPartitioner(partitions, cutoff));
        var hadoop = spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        try {
            List<Outcome<StoreIndex.StoreFile>> outcomes = sorted.mapPartitionsWithIndex(
                            new WriteFile(folder, hadoop), true)
                    .collect();
            List<StoreIndex.StoreFile> files = outcomes.stream()
                    .map(Outcome::get)
                    .filter(file -> file.samples() > 0)
                    .toList();
            long written =
                    files.stream().mapToLong(StoreIndex.StoreFile::samples).sum();
            return written < samples ? null : new StoreIndex(layout, samples, files);
        } catch (GptqException e) {
            throw e;
        } catch (Exception e) {
            throw SparkFailures.translate(
                    e, "prepare samples in '" + folder + "'", "Check the dataset and the storage.");
        } finally {
            hadoop.destroy();
        }
    }

    private static GptqException unwritable(IOException cause, String folder) {
        return GptqException.io(
                cause,
                "Cannot write samples to '%s': %s. Check access rights and free space.",
                folder,
                Files.firstLine(cause));
    }

    /** Sorted samples of one partition -> one file. */
    private record WriteFile(String folder, Broadcast<SerializableConfiguration> hadoop)
            implements org.apache.spark.api.java.function.Function2<
                    Integer, Iterator<scala.Tuple2<OrderKey, byte[]>>, Iterator<Outcome<StoreIndex.StoreFile>>> {
        @Override
        public Iterator<Outcome<StoreIndex.StoreFile>> call(
                Integer partition, Iterator<scala.Tuple2<OrderKey, byte[]>> samples) {
            return List.of(Outcome.of(() -> write(partition, samples))).iterator();
        }

        private StoreIndex.StoreFile write(int partition, Iterator<scala.Tuple2<OrderKey, byte[]>> samples) {
            String name = String.format(java.util.Locale.ROOT, "part-%05d.bin", partition);
            try (RecordFileWriter out =
                    new RecordFileWriter(folder, name, hadoop.value().value())) {
                while (samples.hasNext()) {
                    scala.Tuple2<OrderKey, byte[]> sample = samples.next();
                    if (sample._1().isFailure()) {
                        throw new GptqException(ErrorCode.BAD_INPUT, new String(sample._2(), StandardCharsets.UTF_8));
                    }
                    out.write(sample._2());
                }
                return out.commit();
            } catch (IOException e) {
                throw unwritable(e, folder);
            }
        }
    }
}
