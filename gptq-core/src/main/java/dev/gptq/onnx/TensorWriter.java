package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.ByteString;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.TensorData;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Turns tensors into TensorProtos with little-endian raw data. */
final class TensorWriter {
    /** Elements that are turned into bytes at a time; an even number. */
    private static final int PORTION = 1 << 16;

    private static final int NIBBLE_BITS = 4;
    private static final int NIBBLE = 0xf;

    private TensorWriter() {}

    static OnnxMl.TensorProto write(TensorData tensor) {
        ByteBuffer raw = ByteBuffer.allocate(Math.toIntExact(byteCount(tensor))).order(ByteOrder.LITTLE_ENDIAN);
        put(tensor, 0, tensor.size(), raw);
        return describe(tensor).setRawData(ByteString.copyFrom(raw.array())).build();
    }

    /** A tensor without its values. */
    static OnnxMl.TensorProto.Builder describe(TensorData tensor) {
        OnnxMl.TensorProto.Builder proto =
                OnnxMl.TensorProto.newBuilder().setDataType(tensor.type().onnxCode());
        for (long dimension : tensor.shape()) {
            proto.addDims(dimension);
        }
        return proto;
    }

    /** Writes the values alone. */
    static void write(TensorData tensor, OutputStream out) throws IOException {
        ByteBuffer raw = ByteBuffer.allocate(PORTION * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int from = 0; from < tensor.size(); from += PORTION) {
            int count = Math.min(PORTION, tensor.size() - from);
            raw.clear();
            put(tensor, from, count, raw);
            out.write(raw.array(), 0, Math.toIntExact(byteCount(tensor.type(), count)));
        }
    }

    static long byteCount(TensorData tensor) {
        return byteCount(tensor.type(), tensor.size());
    }

    private static long byteCount(ElementType type, int count) {
        return type == ElementType.INT4 ? (count + 1) / 2 : (long) count * width(type);
    }

    private static void put(TensorData tensor, int from, int count, ByteBuffer raw) {
        switch (tensor.type()) {
            case FLOAT32 -> raw.asFloatBuffer().put(tensor.floats(), from, count);
            case FLOAT64 -> raw.asDoubleBuffer().put(tensor.doubles(), from, count);
            case INT64 -> raw.asLongBuffer().put(tensor.longs(), from, count);
            case INT4 -> putNibbles(raw, tensor.bytes(), from, from + count);
            case INT8, UINT8, BOOL -> raw.put(tensor.bytes(), from, count);
            default -> putIntegers(raw, tensor, from, count);
        }
    }

    /** Two values in a byte, the first one in its lower half. */
    private static void putNibbles(ByteBuffer raw, byte[] values, int from, int to) {
        for (int i = from; i < to; i += 2) {
            int second = i + 1 < to ? values[i + 1] : 0;
            raw.put((byte) (values[i] & NIBBLE | second << NIBBLE_BITS));
        }
    }

    private static void putIntegers(ByteBuffer raw, TensorData tensor, int from, int count) {
        int width = width(tensor.type());
        long[] values = tensor.longs();
        for (int i = from; i < from + count; i++) {
            switch (width) {
                case Long.BYTES -> raw.putLong(values[i]);
                case Integer.BYTES -> raw.putInt((int) values[i]);
                default -> raw.putShort((short) values[i]);
            }
        }
    }

    static int width(ElementType type) {
        return switch (type) {
            case FLOAT64, INT64, UINT64 -> Long.BYTES;
            case FLOAT32, INT32, UINT32 -> Integer.BYTES;
            case INT16, UINT16 -> Short.BYTES;
            case INT4, INT8, UINT8, BOOL -> Byte.BYTES;
        };
    }
}
