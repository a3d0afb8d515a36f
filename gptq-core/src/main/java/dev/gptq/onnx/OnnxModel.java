package dev.gptq.onnx;

import dev.gptq.graph.TensorData;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A model as ONNX Runtime takes it: the content of its file, and the constants that the file refers to. A protobuf message
 * holds less than 2 GB; the constants of larger models lie in a second file (ONNX, external data).
 *
 * @param file the content of the model file
 * @param outside by name, initializers that lie outside, in the order of their places there; empty for most models
 */
public record OnnxModel(byte[] file, Map<String, TensorData> outside) implements Serializable {
    /** The largest file that is written and read as a whole: what a protobuf message, and an array, can hold. */
    public static final long LARGEST_FILE = Integer.MAX_VALUE - (1L << 20);

    /** Where a tensor begins in the file of constants: at a page, so that it can be mapped into memory. */
    static final long PAGE = 4096;

    public OnnxModel {
        outside = Collections.unmodifiableMap(new LinkedHashMap<>(outside));
    }

    /** A model with all constants inside. */
    public static OnnxModel of(byte[] file) {
        return new OnnxModel(file, Map.of());
    }

    /** Bytes of both files. */
    public long bytes() {
        long end = 0;
        for (TensorData tensor : outside.values()) {
            end = onPage(end) + TensorWriter.byteCount(tensor);
        }
        return file.length + end;
    }

    /** Writes the file of constants. */
    public void writeOutside(OutputStream out) throws IOException {
        long end = 0;
        for (TensorData tensor : outside.values()) {
            out.write(new byte[(int) (onPage(end) - end)]);
            TensorWriter.write(tensor, out);
            end = onPage(end) + TensorWriter.byteCount(tensor);
        }
    }

    /** Writes all there is, one file behind the other: what a checksum of the model is taken of. */
    public void writeAll(OutputStream out) {
        try {
            out.write(file);
            writeOutside(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static long onPage(long offset) {
        return (offset + PAGE - 1) / PAGE * PAGE;
    }
}
