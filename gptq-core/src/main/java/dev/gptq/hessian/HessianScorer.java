package dev.gptq.hessian;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.GptqException;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.SampleBatch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Label-free Hessian scores of the float model's compare points (MCT, activation_hessian_scores_calculator_pytorch): the
 * expectation over random sign vectors v of the squared gradient of v . y with respect to each compare point's output, where y
 * is all float outputs of the model, flattened per sample and concatenated.
 *
 * <p>One backward pass yields the gradients of all compare points (MCT makes one per layer). When a sample has no more than 100
 * outputs, basis vectors replace random ones: the sum over outputs of squared gradients is the expectation itself.
 */
public final class HessianScorer {
    private final GraphExecutor floatModel;
    private final boolean perSample;
    private final long seed;
    private final int exactOutputs;
    private final List<ComparePoint> points;

    /** Scores every compare point. */
    public HessianScorer(GraphExecutor floatModel, GPTQHessianScoresConfig config, long seed) {
        this(floatModel, ComparePoints.of(floatModel.graph()), config, seed, OutputPasses.ITERATIONS);
    }

    /** Scores {@code points}, a selection of the graph's compare points. */
    public HessianScorer(
            GraphExecutor floatModel, List<ComparePoint> points, GPTQHessianScoresConfig config, long seed) {
        this(floatModel, points, config, seed, OutputPasses.ITERATIONS);
    }

    /** {@code exactOutputs}: the largest number of outputs per sample whose expectation is computed, not estimated. */
    HessianScorer(GraphExecutor floatModel, GPTQHessianScoresConfig config, long seed, int exactOutputs) {
        this(floatModel, ComparePoints.of(floatModel.graph()), config, seed, exactOutputs);
    }

    private HessianScorer(
            GraphExecutor floatModel,
            List<ComparePoint> points,
            GPTQHessianScoresConfig config,
            long seed,
            int exactOutputs) {
        this.floatModel = floatModel;
        this.perSample = config.perSample();
        this.seed = seed;
        this.exactOutputs = exactOutputs;
        this.points = List.copyOf(points);
    }

    /**
     * Scores a batch: [sample][compare point]. With {@code per_sample} the maximum over output channels of the
     * PER_OUTPUT_CHANNEL score (sample-layer attention), else the PER_TENSOR score. Depends on nothing but the samples'
     * values, their index, the model, the seed and, for PER_TENSOR scores by random vectors, which samples share the
     * batch: those stop early when the batch's means have settled. Batches are fixed blocks, so partitioning changes
     * nothing.
     *
     * @throws GptqException BAD_INPUT when a gradient is not finite
     */
    public double[][] score(SampleBatch batch) {
        double[][] scores = new double[batch.size()][points.size()];
        double[][][] channels = perSample ? channelScores(batch) : tensorScores(batch);
        for (int point = 0; point < points.size(); point++) {
            for (int sample = 0; sample < batch.size(); sample++) {
                double largest = 0;
                for (double score : channels[point][sample]) {
                    largest = Math.max(largest, score);
                }
                scores[sample][point] = largest;
            }
        }
        return scores;
    }

    /**
     * PER_OUTPUT_CHANNEL scores: [compare point][sample][channel], the mean of squared gradients over all axes behind
     * the channel axis 1.
     */
    public double[][][] channelScores(SampleBatch batch) {
        return squaredGradients(batch, Granularity.CHANNEL);
    }

    /** PER_TENSOR scores: [compare point][sample][0], the sum of squared gradients over the sample's elements. */
    public double[][][] tensorScores(SampleBatch batch) {
        return squaredGradients(batch, Granularity.TENSOR);
    }

    private enum Granularity {
        TENSOR,
        CHANNEL
    }

    private double[][][] squaredGradients(SampleBatch batch, Granularity granularity) {
        try (NDManager manager = Engines.newScope(floatModel.device())) {
            NDArray[] values = new NDArray[points.size()];
            NDArray outputs = runRecorded(manager, batch, values);
            SquaredGradients sums =
                    new SquaredGradients(points, List.of(values), batch, granularity == Granularity.TENSOR);
            OutputPasses passes = new OutputPasses(seed, exactOutputs, granularity == Granularity.TENSOR);
            return sums.finish(passes.run(manager, outputs, batch, sums));
        }
    }

    /** Fills {@code values} with the compare points' outputs and returns the float outputs as [samples, outputs per sample]. */
    private NDArray runRecorded(NDManager manager, SampleBatch batch, NDArray[] values) {
        Map<String, Integer> indexByTensor = new HashMap<>();
        for (int point = 0; point < points.size(); point++) {
            indexByTensor.put(points.get(point).output(), point);
        }
        Map<String, NDArray> feeds = Engines.toArrays(manager, batch.inputs());
        try (Autograd.Recording recording = Autograd.record()) {
            Map<String, NDArray> outputs = floatModel.run(manager, feeds, (tensor, value) -> {
                Integer point = indexByTensor.get(tensor);
                if (point != null) {
                    // The first layers start the history; behind them it is there already.
                    values[point] = Autograd.leaf(value);
                }
                return value;
            });
            return OutputPasses.flatten(outputs, batch.size(), floatModel.graph());
        }
    }
}
