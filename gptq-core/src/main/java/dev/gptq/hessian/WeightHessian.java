package dev.gptq.hessian;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.GptqException;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.engine.TensorHook;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.SampleBatch;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The diagonal of the Hessian of the float model's outputs with respect to each element of a kernel W, up to a factor (MCT
 * 2.6, weights mode, PER_ELEMENT): the expectation over random sign vectors v of (d(v . y) / dW)^2 of single samples, where
 * y is all float outputs of one sample. What the threshold method hmse weighs squared rounding errors with.
 *
 * <p>One backward pass serves all kernels. Random passes stop when the mean of each kernel has settled (MCT does so in this
 * mode); with no more than 100 outputs the expectation is exact.
 */
public final class WeightHessian {
    /** Samples that MCT averages over. */
    public static final int SAMPLES = 16;

    /** Keeps these vectors apart from those of {@link HessianScorer}. */
    private static final long PURPOSE = 0x576569676874L;

    private final GraphExecutor floatModel;
    private final List<ComparePoint> points;
    private final OutputPasses passes;

    /**
     * Sums over samples; what single samples add up to.
     *
     * @param values [compare point][kernel element, row-major]
     */
    public record Sums(int samples, float[][] values) implements Serializable {
        /** The sums over both sets of samples. */
        public Sums merge(Sums later) {
            float[][] merged = new float[values.length][];
            for (int point = 0; point < merged.length; point++) {
                merged[point] = values[point].clone();
                for (int i = 0; i < merged[point].length; i++) {
                    merged[point][i] += later.values[point][i];
                }
            }
            return new Sums(samples + later.samples, merged);
        }

        /** The means over samples by layer name; {@code points} are those the scores were computed for. */
        public Map<String, float[]> means(List<ComparePoint> points) {
            Map<String, float[]> means = new HashMap<>();
            for (int point = 0; point < values.length; point++) {
                float[] mean = values[point].clone();
                for (int i = 0; i < mean.length; i++) {
                    mean[i] /= samples;
                }
                means.put(points.get(point).name(), mean);
            }
            return means;
        }
    }

    /** Computes for the kernels of {@code points}, a selection of the graph's compare points. */
    public WeightHessian(GraphExecutor floatModel, List<ComparePoint> points, long seed) {
        this(floatModel, points, seed, OutputPasses.ITERATIONS);
    }

    /** {@code exactOutputs}: the largest number of outputs whose expectation is computed, not estimated. */
    WeightHessian(GraphExecutor floatModel, List<ComparePoint> points, long seed, int exactOutputs) {
        this.floatModel = floatModel;
        this.points = List.copyOf(points);
        this.passes = new OutputPasses(seed ^ PURPOSE, exactOutputs, true);
    }

    /**
     * The squared gradients of a batch of one sample. Depends on nothing but the sample's values and index, the model and
     * the seed.
     *
     * @throws GptqException BAD_INPUT when a squared gradient is not finite
     */
    public Sums of(SampleBatch sample) {
        if (sample.size() != 1) {
            throw new IllegalArgumentException("Cannot tell the gradients of " + sample.size() + " samples apart.");
        }
        try (NDManager manager = Engines.newScope(floatModel.device())) {
            Map<String, NDArray> feeds = Engines.toArrays(manager, sample.inputs());
            List<NDArray> kernels = new ArrayList<>();
            for (ComparePoint point : points) {
                NDArray kernel = Autograd.leaf(
                        Engines.toArray(manager, floatModel.graph().constants().get(point.weight())));
                kernels.add(kernel);
                feeds.put(point.weight(), kernel);
            }
            NDArray outputs;
            try (Autograd.Recording recording = Autograd.record()) {
                outputs = OutputPasses.flatten(floatModel.run(manager, feeds, TensorHook.NONE), 1, floatModel.graph());
            }
            ElementSums sums = new ElementSums(kernels);
            int divisor = passes.run(manager, outputs, sample, sums);
            return new Sums(1, sums.finish(divisor, points, sample.firstIndex()));
        }
    }
}
