package dev.gptq.calibrate;

import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Kernels that rounding starts from in place of the float ones, with which outputs are closer to the float model's after
 * every weight is rounded to nearest.
 *
 * @param byWeight the float32 kernel by the name of the constant that it stands for, in the constant's shape
 */
public record StartingKernels(SortedMap<String, TensorData> byWeight) implements Serializable {
    /** Every kernel starts as it is. */
    public static final StartingKernels NONE = new StartingKernels(Map.of());

    public StartingKernels(Map<String, TensorData> byWeight) {
        this(Collections.unmodifiableSortedMap(new TreeMap<>(byWeight)));
    }

    /** Whether a quantizer's kernel has a start of its own. */
    public boolean has(WeightQuantizer quantizer) {
        return byWeight.containsKey(quantizer.point().weight());
    }

    /** The start of a quantizer that has one. */
    public TensorData of(WeightQuantizer quantizer) {
        return byWeight.get(quantizer.point().weight());
    }
}
