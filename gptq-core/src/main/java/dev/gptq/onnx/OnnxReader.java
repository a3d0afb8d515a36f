package dev.gptq.onnx;

import dev.gptq.graph.Graph;

/** Reads ONNX model files. */
public final class OnnxReader {
    private OnnxReader() {}

    /**
     * Parses a model.
     *
     * @param bytes the file's content
     * @param source what messages call the model, usually its path
     * @throws dev.gptq.GptqException BAD_INPUT when the bytes are no valid model; UNSUPPORTED_MODEL with all unsupported
     *     operators and their node names at once
     */
    public static Graph read(byte[] bytes, String source) {
        throw new UnsupportedOperationException();
    }
}
