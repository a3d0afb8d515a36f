package dev.gptq.spark.data;

import dev.gptq.GptqException;
import dev.gptq.graph.SampleBatch;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** A prepared dataset in canonical order; any range can be read from anywhere, by several threads at once. */
public final class SampleStore {
    private final Path folder;
    private final StoreIndex index;
    private final RecordFiles records;

    private SampleStore(Path folder, FileSystem files, StoreIndex index) {
        this.folder = folder;
        this.index = index;
        this.records = new RecordFiles(folder, files, index.layout().recordBytes(), index.files());
    }

    /** Opens the store in {@code folder}; IO when it is not there or its files are not as long as its index says. */
    public static SampleStore open(String folder, Configuration hadoop) {
        try {
            Path path = new Path(folder);
            FileSystem files = Files.of(path, hadoop);
            StoreIndex index;
            try (FSDataInputStream in = files.open(new Path(path, StoreIndex.FILE_NAME))) {
                index = StoreIndex.fromJson(in.readAllBytes());
            }
            return new SampleStore(path, files, index);
        } catch (IOException e) {
            throw unreadable(e, folder);
        }
    }

    /** Whether the folder holds a store whose files are all there at full length. */
    public static boolean isComplete(String folder, Configuration hadoop) {
        try {
            Path path = new Path(folder);
            FileSystem files = Files.of(path, hadoop);
            return files.exists(new Path(path, StoreIndex.FILE_NAME))
                    && open(folder, hadoop).records.areComplete();
        } catch (IOException e) {
            throw unreadable(e, folder);
        }
    }

    public StoreIndex index() {
        return index;
    }

    /** Number of samples. */
    public long size() {
        return index.samples();
    }

    /** Samples [first, first + size), all of which must be in the store. */
    public SampleBatch read(long first, int size) {
        if (first < 0 || size < 1 || first + size > size()) {
            throw new IllegalArgumentException(
                    "Cannot read samples " + first + " to " + (first + size) + " of " + size() + ".");
        }
        try {
            return index.layout().decode(first, size, records.read(first, size));
        } catch (IOException e) {
            throw unreadable(e, folder.toString());
        }
    }

    private static GptqException unreadable(IOException cause, String folder) {
        return GptqException.io(
                cause,
                "Cannot read sample store '%s': %s. Start the run again; delete the folder if that does not help.",
                folder,
                Files.firstLine(cause));
    }
}
