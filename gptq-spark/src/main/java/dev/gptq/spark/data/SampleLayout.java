package dev.gptq.spark.data;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Layout of a stored sample: the values of each model input in row-major order (little-endian float32, or int64 for
 * integer inputs), one input after the other, then the label as little-endian int64 when there are labels. Every record has the same size.
 */
public record SampleLayout(List<Input> inputs, boolean labelled) implements Serializable {
    /**
     * One model input.
     *
     * @param type FLOAT32, INT32 or INT64
     * @param shape one sample's, without the batch dimension
     */
    public record Input(String name, ElementType type, long[] shape) implements Serializable {
        int elements() {
            return Math.toIntExact(TensorData.elementCount(shape));
        }

        private int bytes() {
            return Math.multiplyExact(elements(), type.isFloating() ? Float.BYTES : Long.BYTES);
        }
    }

    public SampleLayout {
        inputs = List.copyOf(inputs);
    }

    /** Bytes of one sample. */
    public int recordBytes() {
        int bytes = labelled ? Long.BYTES : 0;
        for (Input input : inputs) {
            bytes = Math.addExact(bytes, input.bytes());
        }
        return bytes;
    }

    /** The batch that {@code size} consecutive records hold. */
    SampleBatch decode(long first, int size, byte[] records) {
        ByteBuffer buffer = ByteBuffer.wrap(records).order(ByteOrder.LITTLE_ENDIAN);
        int recordBytes = recordBytes();
        Map<String, TensorData> tensors = new LinkedHashMap<>();
        int offset = 0;
        for (Input input : inputs) {
            tensors.put(
                    input.name(),
                    input.type().isFloating()
                            ? floats(input, size, buffer, offset)
                            : integers(input, size, buffer, offset));
            offset += input.bytes();
        }
        long[] labels = labelled ? new long[size] : null;
        for (int sample = 0; labelled && sample < size; sample++) {
            labels[sample] = buffer.getLong(sample * recordBytes + offset);
        }
        return new SampleBatch(first, size, tensors, labels);
    }

    private TensorData floats(Input input, int size, ByteBuffer buffer, int offset) {
        int elements = input.elements();
        float[] values = new float[Math.multiplyExact(elements, size)];
        for (int sample = 0; sample < size; sample++) {
            buffer.position(sample * recordBytes() + offset);
            buffer.asFloatBuffer().get(values, sample * elements, elements);
        }
        return TensorData.ofFloats(values, batchShape(size, input.shape()));
    }

    private TensorData integers(Input input, int size, ByteBuffer buffer, int offset) {
        int elements = input.elements();
        long[] values = new long[Math.multiplyExact(elements, size)];
        for (int sample = 0; sample < size; sample++) {
            buffer.position(sample * recordBytes() + offset);
            buffer.asLongBuffer().get(values, sample * elements, elements);
        }
        return TensorData.ofLongs(input.type(), values, batchShape(size, input.shape()));
    }

    private static long[] batchShape(int size, long[] sampleShape) {
        long[] shape = new long[sampleShape.length + 1];
        shape[0] = size;
        System.arraycopy(sampleShape, 0, shape, 1, sampleShape.length);
        return shape;
    }
}
