package dev.gptq.train;

import dev.gptq.GptqException;
import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Parameters and optimizer moments by name ("alpha", "bias", "scale", "alpha.moment1", ...), and the next step. */
public record TrainerState(int step, Map<String, float[]> arrays) implements Serializable {
    /** Copies the groups' arrays. */
    static TrainerState of(int step, List<TrainedGroup> groups) {
        Map<String, float[]> copies = new LinkedHashMap<>();
        groups.forEach(group -> group.arrays().forEach((name, array) -> copies.put(name, array.clone())));
        return new TrainerState(step, copies);
    }

    /** Copies into the groups' arrays; nothing changes unless names and sizes all agree. */
    void copyTo(List<TrainedGroup> groups) {
        Map<String, float[]> targets = new LinkedHashMap<>();
        groups.forEach(group -> targets.putAll(group.arrays()));
        if (!targets.keySet().equals(arrays.keySet())) {
            throw GptqException.badInput(
                    "Cannot resume training: the checkpoint holds %s and this configuration trains %s."
                            + " Use the configuration the checkpoint was written with, or start a new run.",
                    arrays.keySet(), targets.keySet());
        }
        targets.forEach((name, target) -> {
            if (target.length != arrays.get(name).length) {
                throw GptqException.badInput(
                        "Cannot resume training: the checkpoint's %s has %d values and this model's has %d."
                                + " Use the model the checkpoint was written with, or start a new run.",
                        name, arrays.get(name).length, target.length);
            }
        });
        targets.forEach((name, target) -> System.arraycopy(arrays.get(name), 0, target, 0, target.length));
    }
}
