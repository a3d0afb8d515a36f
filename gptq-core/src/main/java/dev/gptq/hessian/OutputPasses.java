package dev.gptq.hessian;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gptq.GptqException;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.GradientReach;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Backward passes from y, all float outputs of a model flattened per sample and concatenated, along random sign vectors v:
 * the mean of squared gradients of v . y over passes estimates their expectation. When a sample has few outputs, basis
 * vectors replace random ones: the sum over outputs of squared gradients is the expectation itself.
 *
 * @param exactOutputs the largest number of outputs per sample whose expectation is computed, not estimated
 * @param randomPasses random vectors where there are more outputs
 * @param mayStop whether random passes end when the means of all compare points have settled
 */
public record OutputPasses(long seed, int exactOutputs, int randomPasses, boolean mayStop) {
    /** Random vectors per batch, and the number of outputs up to which the exact expectation takes fewer passes. */
    static final int ITERATIONS = 100;

    private static final int LEAST_ITERATIONS = 10;
    private static final double CONVERGED_CHANGE = 1e-3;
    private static final double EPSILON = 1e-6;

    /** With as many random vectors as MCT draws. */
    OutputPasses(long seed, int exactOutputs, boolean mayStop) {
        this(seed, exactOutputs, ITERATIONS, mayStop);
    }

    /** The float outputs that gradients lead back from, as [samples, outputs per sample]. */
    public static NDArray flatten(Map<String, NDArray> outputs, int samples, Graph graph) {
        NDList flat = new NDList();
        Set<String> reached = GradientReach.of(graph);
        outputs.forEach((name, output) -> {
            if (output.getDataType().isFloating() && reached.contains(name)) {
                flat.add(Autograd.toType(output, DataType.FLOAT32).reshape(new Shape(samples, -1)));
            }
        });
        if (flat.isEmpty()) {
            throw GptqException.unsupported(
                    "Cannot compute Hessian scores of model %s: none of its outputs is a real number that gradients lead"
                            + " back from. Cut the model before its last differentiable operator.",
                    graph.name());
        }
        return flat.size() == 1 ? flat.get(0) : NDArrays.concat(flat, 1);
    }

    /** Makes all passes and returns what the sums are to be divided by. */
    public int run(NDManager manager, NDArray outputs, SampleBatch batch, GradientSums sums) {
        int outputsPerSample = (int) outputs.getShape().get(1);
        boolean exact = outputsPerSample <= exactOutputs;
        int passes = exact ? outputsPerSample : randomPasses;
        double[] before = null;
        int done = 0;
        while (done < passes) {
            float[] vectors = exact
                    ? basisVectors(batch.size(), outputsPerSample, done)
                    : RandomSigns.of(seed, batch.firstIndex(), batch.size(), done, outputsPerSample);
            try (NDArray direction = manager.create(vectors, outputs.getShape());
                    NDList gradients = Autograd.gradients(
                            List.of(outputs), List.of(direction), sums.inputs(), done + 1 < passes)) {
                sums.add(gradients);
            }
            done++;
            if (mayStop && !exact) {
                double[] means = sums.meanByPoint(done);
                if (done > LEAST_ITERATIONS && change(before, means) < CONVERGED_CHANGE) {
                    break;
                }
                before = means;
            }
        }
        return exact ? 1 : done;
    }

    private static float[] basisVectors(int samples, int length, int index) {
        float[] vectors = new float[samples * length];
        for (int sample = 0; sample < samples; sample++) {
            vectors[sample * length + index] = 1;
        }
        return vectors;
    }

    private static double change(double[] before, double[] after) {
        double largest = 0;
        for (int point = 0; point < after.length; point++) {
            largest = Math.max(largest, Math.abs(after[point] - before[point]) / (Math.abs(after[point]) + EPSILON));
        }
        return largest;
    }
}
