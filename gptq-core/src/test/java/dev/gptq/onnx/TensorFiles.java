package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.gptq.graph.TensorData;

/** Reads tensors that are stored alone, as ONNX's test data are. */
public final class TensorFiles {
    private TensorFiles() {}

    public static TensorData parse(byte[] bytes) {
        try {
            OnnxMl.TensorProto proto = OnnxMl.TensorProto.parseFrom(bytes);
            return new TensorReader("test data").read(proto, proto.getName());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
