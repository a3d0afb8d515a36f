package dev.gptq.train;

import dev.gptq.config.OptimizerConfig;
import java.util.LinkedHashMap;
import java.util.Map;

/** Parameters that one optimizer updates. */
final class TrainedGroup {
    private final String name;
    private final float[] values;
    private final Optimizer optimizer;

    /** Without an optimizer (null) the values stay as they are. */
    TrainedGroup(String name, float[] values, OptimizerConfig optimizer) {
        this.name = name;
        this.values = values;
        this.optimizer = optimizer == null ? null : Optimizer.of(optimizer, values.length);
    }

    /** The parameters, not copied. */
    float[] values() {
        return values;
    }

    void update(float[] gradient, int step, int totalSteps) {
        if (optimizer != null) {
            optimizer.update(values, gradient, step, totalSteps);
        }
    }

    /** Parameters and optimizer state by name, not copied: "alpha", "alpha.moment1", ... */
    Map<String, float[]> arrays() {
        Map<String, float[]> arrays = new LinkedHashMap<>();
        arrays.put(name, values);
        if (optimizer != null) {
            optimizer.state().forEach((key, array) -> arrays.put(name + "." + key, array));
        }
        return arrays;
    }
}
