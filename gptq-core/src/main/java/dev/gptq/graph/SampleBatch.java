package dev.gptq.graph;

import java.io.Serializable;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Consecutive samples of a prepared dataset.
 *
 * @param firstIndex index of the first sample in the dataset's canonical order
 * @param size number of samples
 * @param inputs for each model input, its values; the first dimension is {@code size}
 * @param labels class labels by sample, or null for an unlabelled dataset
 */
public record SampleBatch(long firstIndex, int size, Map<String, TensorData> inputs, long[] labels)
        implements Serializable {
    /** {@code count} of the samples, from {@code first} on. */
    public SampleBatch part(int first, int count) {
        Map<String, TensorData> values = new LinkedHashMap<>();
        inputs.forEach((name, tensor) -> values.put(name, tensor.part(first, count)));
        return new SampleBatch(
                firstIndex + first,
                count,
                values,
                labels == null ? null : Arrays.copyOfRange(labels, first, first + count));
    }
}
