package dev.gptq.spark.data;

import dev.gptq.GptqException;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * An array of a .npy file or of a .npz archive (entries stored or deflated), read row by row: memory holds one row, never
 * the array. A row is everything under one index of the first dimension.
 */
final class NpyArray implements Closeable {
    private final String description;
    private final NpyHeader header;
    private final DataInputStream in;
    private final byte[] row;
    private long rowsRead;

    private NpyArray(String description, NpyHeader header, DataInputStream in) {
        this.description = description;
        this.header = header;
        this.in = in;
        this.row = new byte[header.rowBytes()];
    }

    /**
     * Opens an array.
     *
     * @param name the array's name in an archive; not looked at for a .npy file
     */
    static NpyArray open(Path file, String name, Configuration hadoop) throws IOException {
        InputStream bytes = Files.system(file, hadoop).open(file);
        try {
            boolean archive = file.getName().endsWith(".npz");
            DataInputStream in = new DataInputStream(archive ? entry(bytes, file, name) : bytes);
            String description = archive ? "array '" + name + "' of '" + file + "'" : "'" + file + "'";
            return new NpyArray(description, NpyHeader.read(in, description), in);
        } catch (EOFException e) {
            bytes.close();
            throw GptqException.badInput("Cannot read '%s': the file ends too early. Write it again.", file);
        } catch (java.util.zip.ZipException e) {
            bytes.close();
            throw GptqException.badInput("Cannot read '%s': %s. Write it with numpy.savez.", file, Files.firstLine(e));
        } catch (IOException | RuntimeException e) {
            bytes.close();
            throw e;
        }
    }

    private static InputStream entry(InputStream bytes, Path file, String name) throws IOException {
        ZipInputStream archive = new ZipInputStream(bytes);
        StringBuilder seen = new StringBuilder();
        for (ZipEntry entry = archive.getNextEntry(); entry != null; entry = archive.getNextEntry()) {
            if (entry.getName().equals(name + ".npy")) {
                return archive;
            }
            seen.append(seen.isEmpty() ? "" : ", ").append(entry.getName().replaceAll("\\.npy$", ""));
        }
        throw seen.isEmpty()
                ? GptqException.badInput("Cannot read '%s': it is no npz archive. Write it with numpy.savez.", file)
                : GptqException.badInput(
                        "Cannot find array '%s' in '%s': its arrays are %s. Correct the column's name.",
                        name, file, seen);
    }

    NpyHeader header() {
        return header;
    }

    /** Reads the next row into {@code target}, whose length is the row's element count. */
    void readRow(double[] target) throws IOException {
        try {
            in.readFully(row);
        } catch (EOFException e) {
            throw GptqException.badInput(
                    "Cannot read %s: it ends after %d of %d rows. Write the file again.",
                    description, rowsRead, header.rows());
        } catch (java.util.zip.ZipException e) {
            throw GptqException.badInput(
                    "Cannot read %s: %s in row %d. Write the file again.", description, Files.firstLine(e), rowsRead);
        }
        rowsRead++;
        ByteBuffer buffer = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < target.length; i++) {
            target[i] = header.type().read(buffer, i * header.type().bytes());
        }
    }

    /** The next row of an array with one integer per row. */
    long readInteger() throws IOException {
        double[] value = new double[1];
        readRow(value);
        return (long) value[0];
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
