package dev.gptq.spark.data;

import dev.gptq.GptqException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;

/** Consecutive rows of a {@link NumberStore}, written by one task. */
public final class NumberFile implements AutoCloseable {
    private final String folder;
    private final RecordFileWriter out;

    /** {@code firstBlock} orders the files of a table. */
    public NumberFile(String folder, long firstBlock, Configuration hadoop) {
        this.folder = folder;
        try {
            this.out = new RecordFileWriter(folder, String.format(Locale.ROOT, "part-%012d.bin", firstBlock), hadoop);
        } catch (IOException e) {
            throw unwritable(e, folder);
        }
    }

    public void write(double[][] rows) {
        try {
            for (double[] row : rows) {
                ByteBuffer bytes =
                        ByteBuffer.allocate(row.length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                bytes.asDoubleBuffer().put(row);
                out.write(bytes.array());
            }
        } catch (IOException e) {
            throw unwritable(e, folder);
        }
    }

    /** Puts the file in its place. */
    public StoreIndex.StoreFile commit() {
        try {
            return out.commit();
        } catch (IOException e) {
            throw unwritable(e, folder);
        }
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw unwritable(e, folder);
        }
    }

    static GptqException unwritable(IOException cause, String folder) {
        return GptqException.io(
                cause,
                "Cannot write numbers per sample to '%s': %s. Check access rights and free space.",
                folder,
                Files.firstLine(cause));
    }
}
