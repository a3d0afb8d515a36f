package dev.gptq.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/**
 * Sums of squares of the teacher's outputs at the compare points: what the mean squared error of a whole step is normalised
 * by. They are computed ahead of training, because a lane needs those of all lanes of its step. Thread-safe.
 */
public final class TeacherEnergies {
    private final GraphExecutor floatModel;
    private final List<String> tensors;

    /** For the layers of a plan, in its order. */
    public TeacherEnergies(GraphExecutor floatModel, QuantizationPlan plan) {
        this.floatModel = floatModel;
        this.tensors =
                plan.weights().stream().map(layer -> layer.point().output()).toList();
    }

    /** By compare point, the sum over all elements of the batch's outputs. */
    public double[] of(SampleBatch batch) {
        Map<String, Double> energies = new HashMap<>();
        try (NDManager scope = Engines.newScope(floatModel.device())) {
            Map<String, NDArray> feeds = Engines.toArrays(scope, batch.inputs());
            floatModel.run(
                    scope,
                    feeds,
                    (tensor, value) -> {
                        if (tensors.contains(tensor)) {
                            energies.put(tensor, sumOfSquares(value));
                        }
                        return value;
                    },
                    new HashSet<>(tensors));
        }
        return tensors.stream().mapToDouble(energies::get).toArray();
    }

    /** Through the norm: one pass over the values, and no squared copy. */
    private static double sumOfSquares(NDArray array) {
        try (NDArray norm = array.norm()) {
            double length = norm.getFloat();
            return length * length;
        }
    }
}
