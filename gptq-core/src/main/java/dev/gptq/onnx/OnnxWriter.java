package dev.gptq.onnx;

import dev.gptq.graph.Graph;

/** Writes graphs as ONNX model files. */
public final class OnnxWriter {
    private OnnxWriter() {}

    /** Serializes a graph; equal graphs give equal bytes. */
    public static byte[] write(Graph graph) {
        throw new UnsupportedOperationException();
    }
}
