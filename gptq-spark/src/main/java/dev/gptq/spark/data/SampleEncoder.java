package dev.gptq.spark.data;

import dev.gptq.config.InputMapping;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Raw values -> stored record: value = (raw * scale - mean) / std in float64, then rounded to float32; mean and std are
 * one value or one per index of the sample's first dimension.
 */
final class SampleEncoder implements Serializable {
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
        long[] shape = layout.inputs().get(index).shape();
        int channelSize = shape.length == 0 ? 1 : Math.toIntExact(raw.length / shape[0]);
        double[] mean = mapping.mean();
        double[] std = mapping.std();
        for (int i = 0; i < raw.length; i++) {
            int channel = i / channelSize;
            float value = (float) ((raw[i] * mapping.scale() - at(mean, channel)) / at(std, channel));
            if (!Float.isFinite(value)) {
                throw new BadSampleException("value " + raw[i] + " at position " + i + " of '" + mapping.column()
                        + "' is not finite" + (Double.isFinite(raw[i]) ? " after normalisation" : ""));
            }
            record.putFloat(value);
        }
    }

    private static double at(double[] values, int channel) {
        return values.length == 1 ? values[0] : values[channel];
    }
}
