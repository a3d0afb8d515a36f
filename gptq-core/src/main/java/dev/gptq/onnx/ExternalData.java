package dev.gptq.onnx;

import dev.gptq.GptqException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Where a model's constants lie that are stored beside its file. */
@FunctionalInterface
public interface ExternalData {
    /**
     * Reads bytes of a file.
     *
     * @param location the file's path relative to the model's folder, without {@code ..} and not absolute
     * @return exactly {@code length} bytes from {@code offset} on
     * @throws IOException when the file cannot be read or is too short
     * @throws GptqException BAD_INPUT when the location leads out of the folder, by a link for instance
     */
    byte[] read(String location, long offset, int length) throws IOException;

    /** Files of a folder on the local disk. */
    static ExternalData in(Path folder) {
        return (location, offset, length) -> {
            Path file = folder.resolve(location).toRealPath();
            if (!file.startsWith(folder.toRealPath())) {
                throw outside(location);
            }
            try (FileChannel channel = FileChannel.open(file)) {
                if (offset > channel.size() - length) {
                    throw new EOFException("it ends at byte " + channel.size());
                }
                ByteBuffer bytes = ByteBuffer.allocate(length);
                while (bytes.hasRemaining() && channel.read(bytes, offset + bytes.position()) >= 0) {
                    // Reading goes on until all is there; the file's size was checked.
                }
                return bytes.array();
            }
        };
    }

    /** The failure for a location that leads out of the model's folder. */
    static GptqException outside(String location) {
        return GptqException.badInput(
                "Cannot read external data '%s': it lies outside the model's folder. Move it beside the model and save the"
                        + " model again.",
                location);
    }
}
