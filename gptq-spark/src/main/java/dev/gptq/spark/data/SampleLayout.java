package dev.gptq.spark.data;

import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Layout of a stored sample: the values of each model input as little-endian float32 in row-major order, one input after
 * the other, then the label as little-endian int64 when there are labels. Every record has the same size.
 */
public record SampleLayout(List<Input> inputs, boolean labelled) implements Serializable {
    /** One model input; {@code shape} is one sample's, without the batch dimension. */
    public record Input(String name, long[] shape) implements Serializable {
        int elements() {
            return Math.toIntExact(TensorData.elementCount(shape));
        }
    }

    public SampleLayout {
        inputs = List.copyOf(inputs);
    }

    /** Bytes of one sample. */
    public int recordBytes() {
        int bytes = labelled ? Long.BYTES : 0;
        for (Input input : inputs) {
            bytes = Math.addExact(bytes, Math.multiplyExact(input.elements(), Float.BYTES));
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
            int elements = input.elements();
            float[] values = new float[Math.multiplyExact(elements, size)];
            for (int sample = 0; sample < size; sample++) {
                buffer.position(sample * recordBytes + offset);
                buffer.asFloatBuffer().get(values, sample * elements, elements);
            }
            tensors.put(input.name(), TensorData.ofFloats(values, batchShape(size, input.shape())));
            offset += elements * Float.BYTES;
        }
        long[] labels = labelled ? new long[size] : null;
        for (int sample = 0; labelled && sample < size; sample++) {
            labels[sample] = buffer.getLong(sample * recordBytes + offset);
        }
        return new SampleBatch(first, size, tensors, labels);
    }

    private static long[] batchShape(int size, long[] sampleShape) {
        long[] shape = new long[sampleShape.length + 1];
        shape[0] = size;
        System.arraycopy(sampleShape, 0, shape, 1, sampleShape.length);
        return shape;
    }
}
