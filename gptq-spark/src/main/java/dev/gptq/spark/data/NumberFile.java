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

    /**
     * Begins the file of the blocks [firstBlock, firstBlock + blocks). Its name says so: what a task of a former run of the
     * driver writes late, with runs cut otherwise, replaces nothing but the same rows.
     */
    public NumberFile(String folder, long firstBlock, long blocks, Configuration hadoop) {
        this.folder = folder;
        try {
            String name = String.format(Locale.ROOT, "blocks-%012d-%d.bin", firstBlock, blocks);
            this.out = new RecordFileWriter(folder, name, hadoop);
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
