package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.ByteString;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.TensorData;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Turns tensors into TensorProtos with little-endian raw data. */
final class TensorWriter {
    private TensorWriter() {}

    static OnnxMl.TensorProto write(TensorData tensor) {
        OnnxMl.TensorProto.Builder proto =
                OnnxMl.TensorProto.newBuilder().setDataType(tensor.type().onnxCode());
        for (long dimension : tensor.shape()) {
            proto.addDims(dimension);
        }
        ByteBuffer raw =
                ByteBuffer.allocate(tensor.size() * width(tensor.type())).order(ByteOrder.LITTLE_ENDIAN);
        switch (tensor.type()) {
            case FLOAT32 -> raw.asFloatBuffer().put(tensor.floats());
            case FLOAT64 -> raw.asDoubleBuffer().put(tensor.doubles());
            case INT64 -> raw.asLongBuffer().put(tensor.longs());
            default -> putNarrow(raw, tensor);
        }
        return proto.setRawData(ByteString.copyFrom(raw.array())).build();
    }

    private static void putNarrow(ByteBuffer raw, TensorData tensor) {
        int width = width(tensor.type());
        for (long value : tensor.longs()) {
            switch (width) {
                case Long.BYTES -> raw.putLong(value);
                case Integer.BYTES -> raw.putInt((int) value);
                case Short.BYTES -> raw.putShort((short) value);
                default -> raw.put((byte) value);
            }
        }
    }

    static int width(ElementType type) {
        return switch (type) {
            case FLOAT64, INT64, UINT64 -> Long.BYTES;
            case FLOAT32, INT32, UINT32 -> Integer.BYTES;
            case INT16, UINT16 -> Short.BYTES;
            case INT8, UINT8, BOOL -> Byte.BYTES;
        };
    }
}
