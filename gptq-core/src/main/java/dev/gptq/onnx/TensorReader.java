package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import dev.gptq.GptqException;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Turns TensorProtos into tensors on the heap. */
final class TensorReader {
    private final String source;

    TensorReader(String source) {
        this.source = source;
    }

    TensorData read(OnnxMl.TensorProto proto, String name) {
        if (proto.getDataLocation() == OnnxMl.TensorProto.DataLocation.EXTERNAL || proto.getExternalDataCount() > 0) {
            throw GptqException.unsupported(
                    "Cannot read model %s: constant '%s' is stored outside the file. Read it with its external data.",
                    source, name);
        }
        ElementType type = elementType(proto.getDataType(), name);
        long[] shape = proto.getDimsList().stream().mapToLong(Long::longValue).toArray();
        int count = count(shape, name);
        return switch (type) {
            case FLOAT32 -> TensorData.ofFloats(floats(proto, count, name), shape);
            case FLOAT64 -> TensorData.ofDoubles(doubles(proto, count, name), shape);
            case INT8, UINT8, BOOL ->
                proto.hasRawData()
                        ? TensorData.ofBytes(type, bytes(proto, type, count, name), shape)
                        : TensorData.ofLongs(type, integers(proto, type, count, name), shape);
            default -> TensorData.ofLongs(type, integers(proto, type, count, name), shape);
        };
    }

    /** How many bytes a tensor takes as raw data. */
    long byteCount(OnnxMl.TensorProto proto, String name) {
        long[] shape = proto.getDimsList().stream().mapToLong(Long::longValue).toArray();
        return (long) count(shape, name) * TensorWriter.width(elementType(proto.getDataType(), name));
    }

    /** The value of a Constant node. */
    TensorData constantOf(String node, Map<String, Serializable> attributes) {
        if (attributes.get("value") instanceof TensorData tensor) {
            return tensor;
        }
        if (attributes.get("value_float") instanceof Float value) {
            return TensorData.ofFloats(new float[] {value});
        }
        if (attributes.get("value_floats") instanceof float[] values) {
            return TensorData.ofFloats(values, values.length);
        }
        if (attributes.get("value_int") instanceof Long value) {
            return TensorData.ofLongs(ElementType.INT64, new long[] {value});
        }
        if (attributes.get("value_ints") instanceof long[] values) {
            return TensorData.ofLongs(ElementType.INT64, values, values.length);
        }
        throw GptqException.unsupported(
                "Cannot read model %s: Constant node '%s' holds no dense numeric value. Export the model again.",
                source, node);
    }

    /** The type of a tensor; fails for those that this project does not hold. */
    ElementType elementType(int code, String name) {
        OnnxMl.TensorProto.DataType onnxType = OnnxMl.TensorProto.DataType.forNumber(code);
        if (onnxType == null || onnxType == OnnxMl.TensorProto.DataType.UNDEFINED) {
            throw GptqException.badInput(
                    "Cannot read model %s: '%s' has the unknown element type %d. Export the model again.",
                    source, name, code);
        }
        return switch (onnxType) {
            case FLOAT -> ElementType.FLOAT32;
            case DOUBLE -> ElementType.FLOAT64;
            case INT8 -> ElementType.INT8;
            case UINT8 -> ElementType.UINT8;
            case INT32 -> ElementType.INT32;
            case INT64 -> ElementType.INT64;
            case INT16 -> ElementType.INT16;
            case UINT16 -> ElementType.UINT16;
            case UINT32 -> ElementType.UINT32;
            case UINT64 -> ElementType.UINT64;
            case BOOL -> ElementType.BOOL;
            case FLOAT16, BFLOAT16 ->
                throw GptqException.unsupported(
                        "Cannot read model %s: '%s' is of type %s, and half precision models cannot be calibrated or trained."
                                + " Export the model in float32.",
                        source, name, onnxType);
            default ->
                throw GptqException.unsupported(
                        "Cannot read model %s: '%s' is of type %s, which the engine lacks. Export the model in float32.",
                        source, name, onnxType);
        };
    }

    private int count(long[] shape, String name) {
        long count = 1;
        for (long dimension : shape) {
            if (dimension < 0 || (dimension != 0 && count > Integer.MAX_VALUE / dimension)) {
                throw GptqException.badInput(
                        "Cannot read model %s: constant '%s' has the impossible shape %s. Export the model again.",
                        source, name, Arrays.toString(shape));
            }
            count *= dimension;
        }
        return (int) count;
    }

    private float[] floats(OnnxMl.TensorProto proto, int count, String name) {
        if (!proto.hasRawData()) {
            requireCount(proto.getFloatDataCount(), count, name);
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
                values[i] = proto.getFloatData(i);
            }
            return values;
        }
        ByteBuffer raw = raw(proto, count, Float.BYTES, name);
        float[] values = new float[count];
        raw.asFloatBuffer().get(values);
        return values;
    }

    private double[] doubles(OnnxMl.TensorProto proto, int count, String name) {
        if (!proto.hasRawData()) {
            requireCount(proto.getDoubleDataCount(), count, name);
            return proto.getDoubleDataList().stream()
                    .mapToDouble(Double::doubleValue)
                    .toArray();
        }
        ByteBuffer raw = raw(proto, count, Double.BYTES, name);
        double[] values = new double[count];
        raw.asDoubleBuffer().get(values);
        return values;
    }

    private byte[] bytes(OnnxMl.TensorProto proto, ElementType type, int count, String name) {
        byte[] values = new byte[count];
        raw(proto, count, Byte.BYTES, name).get(values);
        for (int i = 0; type == ElementType.BOOL && i < count; i++) {
            values[i] = (byte) (values[i] == 0 ? 0 : 1);
        }
        return values;
    }

    private long[] integers(OnnxMl.TensorProto proto, ElementType type, int count, String name) {
        if (!proto.hasRawData()) {
            if (type == ElementType.INT64) {
                requireCount(proto.getInt64DataCount(), count, name);
                return toLongs(proto.getInt64DataList());
            }
            if (type == ElementType.UINT32 || type == ElementType.UINT64) {
                requireCount(proto.getUint64DataCount(), count, name);
                return toLongs(proto.getUint64DataList());
            }
            requireCount(proto.getInt32DataCount(), count, name);
            return toLongs(proto.getInt32DataList());
        }
        ByteBuffer raw = raw(proto, count, TensorWriter.width(type), name);
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            values[i] = switch (type) {
                case INT64, UINT64 -> raw.getLong();
                case INT32 -> raw.getInt();
                case UINT32 -> Integer.toUnsignedLong(raw.getInt());
                case INT16 -> raw.getShort();
                default -> Short.toUnsignedLong(raw.getShort());
            };
        }
        return values;
    }

    private static long[] toLongs(List<? extends Number> values) {
        return values.stream().mapToLong(Number::longValue).toArray();
    }

    private ByteBuffer raw(OnnxMl.TensorProto proto, int count, int width, String name) {
        long expected = (long) count * width;
        if (proto.getRawData().size() != expected) {
            throw GptqException.badInput(
                    "Cannot read model %s: constant '%s' of shape %s needs %d bytes but has %d. Export the model again.",
                    source,
                    name,
                    proto.getDimsList(),
                    expected,
                    proto.getRawData().size());
        }
        return proto.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    private void requireCount(int given, int expected, String name) {
        if (given != expected) {
            throw GptqException.badInput(
                    "Cannot read model %s: constant '%s' needs %d elements but has %d. Export the model again.",
                    source, name, expected, given);
        }
    }
}
