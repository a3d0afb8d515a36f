package dev.gptq.spark.data;

import java.io.InputStream;
import java.io.OutputStream;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/** CRC32C of bytes as eight lowercase hexadecimal digits. */
public final class Crc32cCounter {
    private final CRC32C crc = new CRC32C();

    public void update(byte[] bytes) {
        crc.update(bytes);
    }

    public void update(byte[] bytes, int offset, int length) {
        crc.update(bytes, offset, length);
    }

    /** {@code out}, with everything that is written to it counted. */
    public OutputStream counting(OutputStream out) {
        return new CheckedOutputStream(out, crc);
    }

    /** {@code in}, with everything that is read from it counted. */
    public InputStream counting(InputStream in) {
        return new CheckedInputStream(in, crc);
    }

    public String value() {
        return String.format(java.util.Locale.ROOT, "%08x", crc.getValue());
    }

    /** The checksum of one array. */
    public static String of(byte[] bytes) {
        Crc32cCounter counter = new Crc32cCounter();
        counter.update(bytes);
        return counter.value();
    }

    /** The checksum of all that {@code content} writes. */
    public static String of(Consumer<OutputStream> content) {
        Crc32cCounter counter = new Crc32cCounter();
        content.accept(new CheckedOutputStream(OutputStream.nullOutputStream(), counter.crc));
        return counter.value();
    }
}
