package dev.gptq.train;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Parameters and optimizer moments by name ("alpha", "bias", "scale", "alpha.moment1", ...) in alphabetical order, and the
 * next step.
 */
public record TrainerState(int step, Map<String, float[]> arrays) implements Serializable {
    /** The state of a model from those of consecutive parts of it. */
    public static TrainerState join(List<TrainerState> parts) {
        Map<String, List<float[]>> arrays = new TreeMap<>();
        for (TrainerState part : parts) {
            part.arrays.forEach((name, array) ->
                    arrays.computeIfAbsent(name, key -> new ArrayList<>()).add(array));
        }
        return concatenate(parts.get(0).step, arrays);
    }

    /** Copies arrays that belong to one name into one. */
    static TrainerState concatenate(int step, Map<String, List<float[]>> parts) {
        Map<String, float[]> joined = new TreeMap<>();
        parts.forEach((name, arrays) -> {
            float[] whole =
                    new float[arrays.stream().mapToInt(array -> array.length).reduce(0, Math::addExact)];
            int position = 0;
            for (float[] array : arrays) {
                System.arraycopy(array, 0, whole, position, array.length);
                position += array.length;
            }
            joined.put(name, whole);
        });
        return new TrainerState(step, joined);
    }
}
