package dev.gptq.graph;

import java.io.Serializable;
import java.util.Arrays;

/**
 * A constant tensor in row-major order on the Java heap. Float32 tensors hold a {@code float[]}, float64 tensors a
 * {@code double[]}, booleans and integers of up to 8 bits a {@code byte[]}, wider integers a {@code long[]}. Arrays are not
 * copied: callers do not change them.
 */
public final class TensorData implements Serializable {
    private final ElementType type;
    private final long[] shape;
    private final Object values;

    private TensorData(ElementType type, long[] shape, Object values, int length) {
        long expected = elementCount(shape);
        if (expected != length) {
            throw new IllegalArgumentException("Cannot create tensor of shape " + Arrays.toString(shape) + ": "
                    + expected + " elements expected, " + length + " given.");
        }
        this.type = type;
        this.shape = shape.clone();
        this.values = values;
    }

    public static TensorData ofFloats(float[] values, long... shape) {
        return new TensorData(ElementType.FLOAT32, shape, values, values.length);
    }

    public static TensorData ofDoubles(double[] values, long... shape) {
        return new TensorData(ElementType.FLOAT64, shape, values, values.length);
    }

    public static TensorData ofLongs(ElementType type, long[] values, long... shape) {
        if (type.isFloating()) {
            throw new IllegalArgumentException("Cannot create " + type + " tensor from longs.");
        }
        return new TensorData(type, shape, type.isNarrow() ? narrowed(type, values) : values, values.length);
    }

    /**
     * A tensor of one of the narrow types ({@link ElementType#isNarrow}).
     *
     * @param values one byte for each element, also of INT4: its lowest bits in two's complement; 0 or 1 for BOOL
     */
    public static TensorData ofBytes(ElementType type, byte[] values, long... shape) {
        if (!type.isNarrow()) {
            throw new IllegalArgumentException("Cannot create " + type + " tensor from bytes.");
        }
        return new TensorData(type, shape, values, values.length);
    }

    public ElementType type() {
        return type;
    }

    public long[] shape() {
        return shape.clone();
    }

    public int rank() {
        return shape.length;
    }

    public int size() {
        return (int) elementCount(shape);
    }

    /** The values of a float32 tensor; throws ClassCastException for another type. */
    public float[] floats() {
        return (float[]) values;
    }

    public double[] doubles() {
        return (double[]) values;
    }

    /**
     * The values of an integer or boolean tensor; throws ClassCastException for another type. Those of a narrow type are
     * widened at each call: to read them one by one, keep the array.
     */
    public long[] longs() {
        return type.isNarrow() ? widened(bytes()) : (long[]) values;
    }

    /** The values of a tensor of a narrow type as {@link #ofBytes} takes them; throws ClassCastException for another type. */
    public byte[] bytes() {
        return (byte[]) values;
    }

    /** The same values under another shape of equally many elements. */
    public TensorData reshape(long... newShape) {
        return new TensorData(type, newShape, values, size());
    }

    /** A copy of {@code count} entries of the first dimension. */
    public TensorData part(int first, int count) {
        int entry = size() / Math.toIntExact(shape[0]);
        int from = first * entry;
        int length = count * entry;
        Object copy = type == ElementType.FLOAT32
                ? Arrays.copyOfRange(floats(), from, from + length)
                : type == ElementType.FLOAT64
                        ? Arrays.copyOfRange(doubles(), from, from + length)
                        : type.isNarrow()
                                ? Arrays.copyOfRange(bytes(), from, from + length)
                                : Arrays.copyOfRange(longs(), from, from + length);
        long[] partShape = shape.clone();
        partShape[0] = count;
        return new TensorData(type, partShape, copy, length);
    }

    /** Product of the dimensions. */
    public static long elementCount(long[] shape) {
        long count = 1;
        for (long dimension : shape) {
            count = Math.multiplyExact(count, dimension);
        }
        return count;
    }

    private static byte[] narrowed(ElementType type, long[] values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = type == ElementType.BOOL ? (byte) (values[i] == 0 ? 0 : 1) : (byte) values[i];
        }
        return bytes;
    }

    private long[] widened(byte[] bytes) {
        long[] longs = new long[bytes.length];
        for (int i = 0; i < longs.length; i++) {
            longs[i] = type == ElementType.UINT8 ? Byte.toUnsignedInt(bytes[i]) : bytes[i];
        }
        return longs;
    }

    @Override
    public String toString() {
        return type + Arrays.toString(shape);
    }
}
