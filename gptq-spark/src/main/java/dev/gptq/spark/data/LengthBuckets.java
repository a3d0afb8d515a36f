package dev.gptq.spark.data;

import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Brings samples of like length together, so that little of a batch is padding. The canonical order is cut into windows, and
 * each window is sorted by length: what a window has stays a random sample of the data, and a batch, which is much smaller
 * than a window, has texts of one length.
 */
record LengthBuckets(String folder, SampleLayout layout, long samples, Broadcast<SerializableConfiguration> hadoop)
        implements Function<LengthBuckets.Part, StoreIndex.StoreFile> {
    /** Samples of a window. */
    static final int WINDOW = 256;

    /** A file of the store and the number of its first sample. */
    record Part(StoreIndex.StoreFile file, long first) implements Serializable {}

    /** Writes a store's files anew, without what is beyond its samples; the old ones go. */
    static StoreIndex sort(StoreIndex index, String folder, JavaSparkContext spark) throws IOException {
        List<Part> parts = new ArrayList<>();
        long first = 0;
        for (StoreIndex.StoreFile file : index.files()) {
            if (first < index.samples()) {
                parts.add(new Part(file, first));
            }
            first += file.samples();
        }
        Broadcast<SerializableConfiguration> hadoop =
                spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        try {
            List<StoreIndex.StoreFile> sorted = spark.parallelize(parts, Math.max(1, parts.size()))
                    .map(new LengthBuckets(folder, index.layout(), index.samples(), hadoop))
                    .collect();
            for (StoreIndex.StoreFile file : index.files()) {
                Path old = new Path(folder, file.name());
                Files.of(old, spark.hadoopConfiguration()).delete(old, false);
            }
            return new StoreIndex(index.layout(), index.samples(), sorted, index.badRows());
        } finally {
            hadoop.destroy();
        }
    }

    @Override
    public StoreIndex.StoreFile call(Part part) throws IOException {
        Configuration configuration = hadoop.value().value();
        int recordBytes = layout.recordBytes();
        Path path = new Path(folder);
        RecordFiles records = new RecordFiles(path, Files.of(path, configuration), recordBytes, List.of(part.file));
        long end = Math.min(samples, part.first + part.file.samples());
        try (RecordFileWriter out = new RecordFileWriter(folder, "sorted-" + part.file.name(), configuration)) {
            // Windows are cut by the samples' numbers in the store, and where a file ends.
            for (long start = part.first; start < end; ) {
                long next = Math.min(end, (start / WINDOW + 1) * WINDOW);
                byte[] window = records.read(start - part.first, (int) (next - start));
                byte[][] sorted = new byte[(int) (next - start)][];
                for (int i = 0; i < sorted.length; i++) {
                    sorted[i] = Arrays.copyOfRange(window, i * recordBytes, (i + 1) * recordBytes);
                }
                Arrays.sort(sorted, Comparator.comparingLong(LengthBuckets::length));
                for (byte[] record : sorted) {
                    out.write(record);
                }
                start = next;
            }
            return out.commit();
        }
    }

    /** What a ragged record ends with. */
    private static long length(byte[] record) {
        return ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN).getLong(record.length - Long.BYTES);
    }
}
