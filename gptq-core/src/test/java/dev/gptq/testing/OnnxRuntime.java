package dev.gptq.testing;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.TensorData;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Runs model bytes in ONNX Runtime: the reference that tests compare with. */
public final class OnnxRuntime {
    private OnnxRuntime() {}

    /** The model's outputs by name for float32 and int64 inputs; results are float32 or an integer type. */
    public static Map<String, TensorData> run(byte[] model, Map<String, TensorData> inputs) {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        Map<String, OnnxTensor> feeds = new HashMap<>();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.setInterOpNumThreads(1);
            try (OrtSession session = environment.createSession(model, options)) {
                for (Map.Entry<String, TensorData> input : inputs.entrySet()) {
                    feeds.put(input.getKey(), feed(environment, input.getValue()));
                }
                Map<String, TensorData> outputs = new LinkedHashMap<>();
                try (OrtSession.Result result = session.run(feeds)) {
                    for (Map.Entry<String, OnnxValue> output : result) {
                        outputs.put(output.getKey(), toTensor((OnnxTensor) output.getValue()));
                    }
                }
                return outputs;
            }
        } catch (OrtException e) {
            throw new IllegalStateException(e.getMessage(), e);
        } finally {
            feeds.values().forEach(OnnxTensor::close);
        }
    }

    private static OnnxTensor feed(OrtEnvironment environment, TensorData tensor) throws OrtException {
        return tensor.type() == ElementType.FLOAT32
                ? OnnxTensor.createTensor(environment, FloatBuffer.wrap(tensor.floats()), tensor.shape())
                : OnnxTensor.createTensor(environment, LongBuffer.wrap(tensor.longs()), tensor.shape());
    }

    private static TensorData toTensor(OnnxTensor tensor) {
        TensorInfo info = tensor.getInfo();
        ByteBuffer bytes = tensor.getByteBuffer().order(ByteOrder.nativeOrder());
        int count = (int) TensorData.elementCount(info.getShape());
        if (info.type == OnnxJavaType.FLOAT) {
            float[] values = new float[count];
            bytes.asFloatBuffer().get(values);
            return TensorData.ofFloats(values, info.getShape());
        }
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            values[i] = switch (info.type) {
                case INT64 -> bytes.getLong();
                case INT32 -> bytes.getInt();
                case INT8 -> bytes.get();
                case UINT8, BOOL -> bytes.get() & 0xff;
                default -> throw new IllegalStateException("unexpected output type " + info.type);
            };
        }
        return TensorData.ofLongs(ElementType.valueOf(info.type.name()), values, info.getShape());
    }
}
