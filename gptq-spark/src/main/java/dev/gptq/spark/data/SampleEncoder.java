package dev.gptq.spark.data;

import dev.gptq.config.InputMapping;
import dev.gptq.graph.ElementType;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Locale;

/**
 * Raw values -> stored record: value = (raw * scale - mean) / std in float64, then rounded to float32, or
 * checked to be an integer for an integer input; mean and std are one value or one per index of the sample's first
 * dimension.
 */
final class SampleEncoder implements Serializable {
    /** Up to here float64, in which raw values come, holds every integer. */
    private static final double LARGEST_EXACT_INTEGER = 1L << 53;

    private final SampleLayout layout;
    private final List<InputMapping> mappings;

    /** One mapping per input of the layout, in its order. */
    SampleEncoder(SampleLayout layout, List<InputMapping> mappings) {
        this.layout = layout;
        this.mappings = List.copyOf(mappings);
    }

    SampleLayout layout() {
        return layout;
    }

    List<InputMapping> mappings() {
        return mappings;
    }

    /** An empty record to put inputs into in order. */
    ByteBuffer newRecord() {
        return ByteBuffer.allocate(layout.recordBytes()).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Appends an input's values. */
    void putInput(int index, double[] raw, ByteBuffer record) throws BadSampleException {
        InputMapping mapping = mappings.get(index);
        SampleLayout.Input input = layout.inputs().get(index);
        long[] shape = input.shape();
        int channelSize = shape.length == 0 ? 1 : Math.toIntExact(raw.length / shape[0]);
        double[] mean = mapping.mean();
        double[] std = mapping.std();
        for (int i = 0; i < raw.length; i++) {
            int channel = i / channelSize;
            double value = (raw[i] * mapping.scale() - at(mean, channel)) / at(std, channel);
            boolean stored =
                    input.type().isFloating() ? putReal(value, record) : putInteger(input.type(), value, record);
            if (!stored) {
                String problem = input.type().isFloating()
                        ? "not finite"
                        : "no " + input.type().name().toLowerCase(Locale.ROOT);
                boolean changed = Double.isFinite(raw[i]) && (input.type().isFloating() || raw[i] != value);
                throw new BadSampleException("value " + raw[i] + " at position " + i + " of '" + mapping.column()
                        + "' is " + problem + (changed ? " after normalisation" : ""));
            }
        }
    }

    /** Appends a float32; false when the value is none. */
    private static boolean putReal(double value, ByteBuffer record) {
        float rounded = (float) value;
        record.putFloat(rounded);
        return Float.isFinite(rounded);
    }

    /** Appends an int64; false when the value is no integer of the type. */
    private static boolean putInteger(ElementType type, double value, ByteBuffer record) {
        double limit = type == ElementType.INT32 ? Integer.MAX_VALUE : LARGEST_EXACT_INTEGER;
        record.putLong((long) value);
        return value == Math.rint(value) && Math.abs(value) <= limit;
    }

    private static double at(double[] values, int channel) {
        return values.length == 1 ? values[0] : values[channel];
    }
}
