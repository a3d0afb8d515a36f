package dev.gptq.jobs.tracking;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.tensorflow.proto.Event;

/**
 * Writes records of TensorFlow's file format: length (uint64), its masked CRC-32C, the message, its masked CRC-32C, all
 * little-endian.
 */
final class EventWriter implements AutoCloseable {
    private static final int MASK = 0xa282ead8;
    private static final int ROTATION = 15;

    private final FSDataOutputStream out;

    EventWriter(FSDataOutputStream out) {
        this.out = out;
    }

    void write(Event event) throws IOException {
        byte[] message = event.toByteArray();
        byte[] length = ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(message.length)
                .array();
        out.write(length);
        out.write(maskedCrc(length));
        out.write(message);
        out.write(maskedCrc(message));
    }

    /** Makes what was written visible to readers, where the file system can. */
    void flush() throws IOException {
        out.hflush();
    }

    private static byte[] maskedCrc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        int masked = Integer.rotateRight((int) crc.getValue(), ROTATION) + MASK;
        return ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(masked)
                .array();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
