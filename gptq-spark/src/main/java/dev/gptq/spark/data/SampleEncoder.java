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
 * checked to be an integer for an integer input; mean and std are one value or one per channel: per index of the sample's
 * first dimension, or of its last.
 */
final class SampleEncoder implements Serializable {
    /** Up to here float64, in which raw values come, holds every integer. */
    private static final double LARGEST_EXACT_INTEGER = 1L << 53;

    private final SampleLayout layout;
    private final List<InputMapping> mappings;
    private final List<Boolean> channelsLast;

    /** One mapping per input of the layout, in its order, and whether its channels are the last dimension. */
    SampleEncoder(SampleLayout layout, List<InputMapping> mappings, List<Boolean> channelsLast) {
        this.layout = layout;
        this.mappings = List.copyOf(mappings);
        this.channelsLast = List.copyOf(channelsLast);
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
        boolean last = channelsLast.get(index);
        int channels = shape.length == 0 ? 1 : Math.toIntExact(shape[last ? shape.length - 1 : 0]);
        int channelSize = raw.length / channels;
        double[] mean = mapping.mean();
        double[] std = mapping.std();
        for (int i = 0; i < raw.length; i++) {
            int channel = last ? i % channels : i / channelSize;
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
