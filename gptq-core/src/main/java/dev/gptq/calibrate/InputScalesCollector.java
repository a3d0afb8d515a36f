package dev.gptq.calibrate;

import ai.djl.ndarray.NDManager;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Runs the float model and observes the tensors that {@link ActivationSmoothing} may divide. */
public final class InputScalesCollector {
    private final GraphExecutor floatModel;
    private final List<String> tensors;

    /** @param floatModel of the prepared graph */
    public InputScalesCollector(GraphExecutor floatModel, QuantizationConfig config) {
        this.floatModel = floatModel;
        this.tensors = SmoothableInput.of(floatModel.graph(), config).stream()
                .map(SmoothableInput::tensor)
                .toList();
    }

    /** The block's scales. */
    public InputScales collect(SampleBatch block) {
        Map<String, InputScales.Channels> found = new LinkedHashMap<>();
        try (NDManager scope = Engines.newScope(floatModel.device())) {
            floatModel.run(
                    scope,
                    Engines.toArrays(scope, block.inputs()),
                    (tensor, value) -> {
                        if (tensors.contains(tensor)) {
                            found.put(tensor, InputScales.Channels.of(value));
                        }
                        return value;
                    },
                    Set.of());
        }
        Map<String, InputScales.Channels> ordered = new LinkedHashMap<>();
        tensors.forEach(tensor -> ordered.put(tensor, found.get(tensor)));
        return new InputScales(ordered);
    }
}
