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
    private final FileSystem files;
    private final StoreIndex index;
    private final long[] firstOfFile;

    private SampleStore(Path folder, FileSystem files, StoreIndex index) {
        this.folder = folder;
        this.files = files;
        this.index = index;
        this.firstOfFile = new long[index.files().size() + 1];
        for (int file = 0; file < index.files().size(); file++) {
            firstOfFile[file + 1] = firstOfFile[file] + index.files().get(file).samples();
        }
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
            if (!files.exists(new Path(path, StoreIndex.FILE_NAME))) {
                return false;
            }
            SampleStore store = open(folder, hadoop);
            long recordBytes = store.index.layout().recordBytes();
            for (StoreIndex.StoreFile file : store.index.files()) {
                Path data = new Path(path, file.name());
                if (!files.exists(data) || files.getFileStatus(data).getLen() != file.samples() * recordBytes) {
                    return false;
                }
            }
            return true;
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
        int recordBytes = index.layout().recordBytes();
        byte[] records = new byte[Math.multiplyExact(size, recordBytes)];
        try {
            long next = first;
            for (int file = 0; next < first + size; file++) {
                if (next < firstOfFile[file + 1]) {
                    long end = Math.min(first + size, firstOfFile[file + 1]);
                    int length = Math.toIntExact((end - next) * recordBytes);
                    try (FSDataInputStream in =
                            files.open(new Path(folder, index.files().get(file).name()))) {
                        in.readFully(
                                (next - firstOfFile[file]) * recordBytes,
                                records,
                                Math.toIntExact((next - first) * recordBytes),
                                length);
                    }
                    next = end;
                }
            }
        } catch (IOException e) {
            throw unreadable(e, folder.toString());
        }
        return index.layout().decode(first, size, records);
    }

    private static GptqException unreadable(IOException cause, String folder) {
        return GptqException.io(
                cause,
                "Cannot read sample store '%s': %s. Start again with --set output.overwrite=true.",
                folder,
                Files.firstLine(cause));
    }
}
