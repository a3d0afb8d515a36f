package dev.gptq.spark.data;

import java.io.Closeable;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;

/**
 * Writes one file of records in a task, aside until it is committed. Attempts of one task may overlap: each writes its own
 * file, and all write the same bytes.
 */
final class RecordFileWriter implements Closeable {
    private final String name;
    private final Path target;
    private final Path temporary;
    private final FileSystem files;
    private final FSDataOutputStream out;
    private final Crc32cCounter crc = new Crc32cCounter();
    private long records;
    private boolean committed;

    RecordFileWriter(String folder, String name, Configuration hadoop) throws IOException {
        this.name = name;
        this.target = new Path(folder, name);
        this.temporary = new Path(folder, "." + name + "." + TaskContext.get().taskAttemptId());
        this.files = Files.of(temporary, hadoop);
        this.out = files.create(temporary, true);
    }

    void write(byte[] record) throws IOException {
        out.write(record);
        crc.update(record);
        records++;
    }

    /** Puts the file in its place. */
    StoreIndex.StoreFile commit() throws IOException {
        out.close();
        // POSIX replaces the target in one step. Elsewhere a file of an earlier attempt stays: others may be reading
        // it.
        if (!Files.rename(files, temporary, target) && !hasSameLength()) {
            files.delete(target, false);
            if (!Files.rename(files, temporary, target)) {
                throw new IOException("rename to " + target + " failed");
            }
        }
        files.delete(temporary, false);
        committed = true;
        return new StoreIndex.StoreFile(name, records, crc.value());
    }

    private boolean hasSameLength() throws IOException {
        return files.exists(target)
                && files.getFileStatus(target).getLen()
                        == files.getFileStatus(temporary).getLen();
    }

    /** Leaves nothing behind when the file was not committed. */
    @Override
    public void close() throws IOException {
        if (!committed) {
            out.close();
            files.delete(temporary, false);
        }
    }
}
