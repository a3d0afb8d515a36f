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
 * integer inputs), one input after the other, then the label as little-endian int64 when there are labels, then the used
 * length where inputs are ragged. Every record has the same size; ragged inputs are cut to what a batch uses when they are
 * read.
 */
public record SampleLayout(List<Input> inputs, boolean labelled) implements Serializable {
    private static final int LENGTH_MULTIPLE = 8;

    /**
     * One model input.
     *
     * @param type FLOAT32, INT32 or INT64
     * @param shape one sample's, without the batch dimension
     * @param ragged whether samples use a beginning of the first dimension only, the rest of which is padding
     */
    public record Input(String name, ElementType type, long[] shape, boolean ragged) implements Serializable {
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

    /** Whether records hold the length that they use. */
    boolean hasLengths() {
        return inputs.stream().anyMatch(Input::ragged);
    }

    /** Bytes of one sample. */
    public int recordBytes() {
        int bytes = (labelled ? Long.BYTES : 0) + (hasLengths() ? Long.BYTES : 0);
        for (Input input : inputs) {
            bytes = Math.addExact(bytes, input.bytes());
        }
        return bytes;
    }

    /** The batch that {@code size} consecutive records hold. */
    SampleBatch decode(long first, int size, byte[] records) {
        ByteBuffer buffer = ByteBuffer.wrap(records).order(ByteOrder.LITTLE_ENDIAN);
        int recordBytes = recordBytes();
        int longest = hasLengths() ? longest(size, buffer) : 0;
        Map<String, TensorData> tensors = new LinkedHashMap<>();
        int offset = 0;
        for (Input input : inputs) {
            tensors.put(
                    input.name(),
                    input.type().isFloating()
                            ? floats(input, size, buffer, offset, longest)
                            : integers(input, size, buffer, offset, longest));
            offset += input.bytes();
        }
        long[] labels = labelled ? new long[size] : null;
        for (int sample = 0; labelled && sample < size; sample++) {
            labels[sample] = buffer.getLong(sample * recordBytes + offset);
        }
        return new SampleBatch(first, size, tensors, labels);
    }

    /** The longest of the batch's samples, rounded up: kernels like even sizes, and shapes repeat. */
    private int longest(int size, ByteBuffer buffer) {
        long longest = 1;
        for (int sample = 1; sample <= size; sample++) {
            longest = Math.max(longest, buffer.getLong(sample * recordBytes() - Long.BYTES));
        }
        return Math.toIntExact((longest + LENGTH_MULTIPLE - 1) / LENGTH_MULTIPLE * LENGTH_MULTIPLE);
    }

    /** The shape of a sample in a batch of this longest length. */
    private static long[] used(Input input, int longest) {
        long[] shape = input.shape().clone();
        if (input.ragged()) {
            shape[0] = Math.min(shape[0], longest);
        }
        return shape;
    }

    private TensorData floats(Input input, int size, ByteBuffer buffer, int offset, int longest) {
        long[] shape = used(input, longest);
        int elements = Math.toIntExact(TensorData.elementCount(shape));
        float[] values = new float[Math.multiplyExact(elements, size)];
        for (int sample = 0; sample < size; sample++) {
            buffer.position(sample * recordBytes() + offset);
            buffer.asFloatBuffer().get(values, sample * elements, elements);
        }
        return TensorData.ofFloats(values, batchShape(size, shape));
    }

    private TensorData integers(Input input, int size, ByteBuffer buffer, int offset, int longest) {
        long[] shape = used(input, longest);
        int elements = Math.toIntExact(TensorData.elementCount(shape));
        long[] values = new long[Math.multiplyExact(elements, size)];
        for (int sample = 0; sample < size; sample++) {
            buffer.position(sample * recordBytes() + offset);
            buffer.asLongBuffer().get(values, sample * elements, elements);
        }
        return TensorData.ofLongs(input.type(), values, batchShape(size, shape));
    }

    private static long[] batchShape(int size, long[] sampleShape) {
        long[] shape = new long[sampleShape.length + 1];
        shape[0] = size;
        System.arraycopy(sampleShape, 0, shape, 1, sampleShape.length);
        return shape;
    }
}
