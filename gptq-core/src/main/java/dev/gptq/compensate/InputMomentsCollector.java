package dev.gptq.compensate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;
import dev.gptq.train.ActivationFakeQuantizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Runs the model with float kernels and quantized activations, as the student starts, and sums the second moments of what
 * layers multiply their kernels with.
 */
public final class InputMomentsCollector implements AutoCloseable {
    private final GraphExecutor floatModel;
    private final Map<String, ActivationFakeQuantizer> activations = new HashMap<>();
    /** By tensor. */
    private final Map<String, List<Reading>> readings = new HashMap<>();

    /** The rows of the group of this name. */
    private record Reading(String group, InputRows rows) {}

    /**
     * @param floatModel is the graph that the plan is for
     * @param groups whose rows are measured
     */
    public InputMomentsCollector(GraphExecutor floatModel, QuantizationPlan plan, List<KernelGroup> groups) {
        this.floatModel = floatModel;
        for (ActivationQuantizer quantizer : plan.activations()) {
            activations.put(quantizer.tensor(), new ActivationFakeQuantizer(quantizer));
        }
        for (KernelGroup group : groups) {
            KernelMatrix kernel = group.first();
            InputRows rows = InputRows.of(kernel, floatModel.graph(), floatModel.device());
            readings.computeIfAbsent(kernel.rows().tensor(), tensor -> new ArrayList<>())
                    .add(new Reading(group.name(), rows));
        }
    }

    /** The sums over the rows of a block. */
    public InputMoments collect(SampleBatch block) {
        TreeMap<String, float[]> sums = new TreeMap<>();
        try (NDManager scope = Engines.newScope(floatModel.device());
                Autograd.Recording paused = Autograd.pause()) {
            Map<String, NDArray> feeds = Engines.toArrays(scope, block.inputs());
            floatModel.run(
                    scope,
                    feeds,
                    (tensor, value) -> {
                        ActivationFakeQuantizer quantizer = activations.get(tensor);
                        NDArray seen = quantizer == null ? value : quantizer.quantize(value);
                        for (Reading reading : readings.getOrDefault(tensor, List.of())) {
                            sums.put(reading.group(), reading.rows().moments(seen));
                        }
                        return seen;
                    },
                    Set.of());
        }
        return new InputMoments(sums);
    }

    @Override
    public void close() {
        readings.values()
                .forEach(ofTensor -> ofTensor.forEach(reading -> reading.rows().close()));
    }
}
