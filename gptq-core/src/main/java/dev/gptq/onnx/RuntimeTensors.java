package dev.gptq.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.TensorInfo;
import dev.gptq.GptqException;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.TensorData;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;

/** Moves tensors between the Java heap and ONNX Runtime. */
public final class RuntimeTensors {
    private RuntimeTensors() {}

    /** A copy for ONNX Runtime, which the caller closes. Types that ONNX Runtime's Java API lacks go as INT64. */
    public static OnnxTensor toRuntime(OrtEnvironment environment, TensorData tensor) throws OrtException {
        long[] shape = tensor.shape();
        return switch (tensor.type()) {
            case FLOAT32 -> OnnxTensor.createTensor(environment, FloatBuffer.wrap(tensor.floats()), shape);
            case FLOAT64 -> OnnxTensor.createTensor(environment, DoubleBuffer.wrap(tensor.doubles()), shape);
            case INT64, INT4, INT16, UINT16, UINT32, UINT64 ->
                OnnxTensor.createTensor(environment, LongBuffer.wrap(tensor.longs()), shape);
            case INT32 -> {
                int[] narrow =
                        Arrays.stream(tensor.longs()).mapToInt(Math::toIntExact).toArray();
                yield OnnxTensor.createTensor(environment, IntBuffer.wrap(narrow), shape);
            }
            case INT8, UINT8, BOOL -> {
                ByteBuffer bytes = ByteBuffer.allocateDirect(tensor.size()).order(ByteOrder.nativeOrder());
                bytes.put(tensor.bytes());
                OnnxJavaType type = OnnxJavaType.valueOf(tensor.type().name());
                yield OnnxTensor.createTensor(environment, bytes.rewind(), shape, type);
            }
        };
    }

    /** A copy of one of ONNX Runtime's tensors; {@code name} is what a refusal of its type calls it. */
    public static TensorData fromRuntime(OnnxTensor tensor, String name) {
        TensorInfo info = tensor.getInfo();
        long[] shape = info.getShape();
        int count = (int) TensorData.elementCount(shape);
        switch (info.type) {
            case FLOAT:
                float[] floats = new float[count];
                tensor.getFloatBuffer().get(floats);
                return TensorData.ofFloats(floats, shape);
            case DOUBLE:
                double[] doubles = new double[count];
                tensor.getDoubleBuffer().get(doubles);
                return TensorData.ofDoubles(doubles, shape);
            case INT8, UINT8, BOOL:
                byte[] bytes = new byte[count];
                tensor.getByteBuffer().get(bytes);
                return TensorData.ofBytes(ElementType.valueOf(info.type.name()), bytes, shape);
            case INT64, INT32:
                return TensorData.ofLongs(
                        ElementType.valueOf(info.type.name()), integers(tensor, info.type, count), shape);
            default:
                throw GptqException.unsupported(
                        "Cannot use tensor '%s': it holds %s. Only float32, float64, integers and truth values can be used.",
                        name, info.onnxType);
        }
    }

    private static long[] integers(OnnxTensor tensor, OnnxJavaType type, int count) {
        ByteBuffer bytes = tensor.getByteBuffer().order(ByteOrder.nativeOrder());
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            values[i] = type == OnnxJavaType.INT64 ? bytes.getLong() : bytes.getInt();
        }
        return values;
    }
}
