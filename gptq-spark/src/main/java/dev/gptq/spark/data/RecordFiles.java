package dev.gptq.spark.data;

import java.io.IOException;
import java.util.List;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Records of one size that lie in the files of a folder, one file after the other; any range can be read from anywhere, by
 * several threads at once.
 */
final class RecordFiles {
    private final Path folder;
    private final FileSystem files;
    private final int recordBytes;
    private final List<StoreIndex.StoreFile> parts;
    private final long[] firstOfFile;

    RecordFiles(Path folder, FileSystem files, int recordBytes, List<StoreIndex.StoreFile> parts) {
        this.folder = folder;
        this.files = files;
        this.recordBytes = recordBytes;
        this.parts = List.copyOf(parts);
        this.firstOfFile = new long[parts.size() + 1];
        for (int file = 0; file < parts.size(); file++) {
            firstOfFile[file + 1] = firstOfFile[file] + parts.get(file).samples();
        }
    }

    /** Whether all files are there at full length. */
    boolean areComplete() throws IOException {
        for (StoreIndex.StoreFile part : parts) {
            Path data = new Path(folder, part.name());
            if (!files.exists(data) || files.getFileStatus(data).getLen() != part.samples() * recordBytes) {
                return false;
            }
        }
        return true;
    }

    /** Records [first, first + count), one after the other; all of them must be there. */
    byte[] read(long first, int count) throws IOException {
        byte[] records = new byte[Math.multiplyExact(count, recordBytes)];
        long next = first;
        for (int file = 0; next < first + count; file++) {
            if (next < firstOfFile[file + 1]) {
                long end = Math.min(first + count, firstOfFile[file + 1]);
                try (FSDataInputStream in =
                        files.open(new Path(folder, parts.get(file).name()))) {
                    in.readFully(
                            (next - firstOfFile[file]) * recordBytes,
                            records,
                            Math.toIntExact((next - first) * recordBytes),
                            Math.toIntExact((end - next) * recordBytes));
                }
                next = end;
            }
        }
        return records;
    }
}
