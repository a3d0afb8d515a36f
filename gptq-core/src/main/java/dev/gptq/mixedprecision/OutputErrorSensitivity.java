package dev.gptq.mixedprecision;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;
import dev.gptq.train.QuantizedStudent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** By running the model with one kernel (and its corrected bias) or activation quantized and all else in float. */
final class OutputErrorSensitivity implements SensitivityMeasure {
    static final int BLOCK_SIZE = 8;

    private final GraphExecutor floatModel;
    private final CandidateQuantizers candidates;
    private final LayerCosts costs;

    OutputErrorSensitivity(GraphExecutor floatModel, BitChoices choices, CandidateQuantizers candidates) {
        this.floatModel = floatModel;
        this.candidates = candidates;
        this.costs = new LayerCosts(floatModel.graph(), choices);
    }

    @Override
    public SensitivitySums of(SampleBatch samples) {
        LayerCosts.Counts counts = costs.counts();
        List<double[]> expected = floatOutputs(samples, counts);
        double energy = 0;
        for (double[] output : expected) {
            for (double value : output) {
                energy += value * value;
            }
        }
        double[][] kernels = new double[candidates.kernels().size()][];
        for (int kernel = 0; kernel < kernels.length; kernel++) {
            List<WeightQuantizer> choices = candidates.kernels().get(kernel);
            kernels[kernel] = new double[choices.size()];
            for (int choice = 0; choice < choices.size(); choice++) {
                QuantizationPlan plan = new QuantizationPlan(List.of(choices.get(choice)), List.of());
                kernels[kernel][choice] =
                        error(samples, plan, PlanBuilder.roundToNearest(floatModel.graph(), plan), expected);
            }
        }
        double[][] activations = new double[candidates.activations().size()][];
        for (int activation = 0; activation < activations.length; activation++) {
            List<List<ActivationQuantizer>> choices = candidates.activations().get(activation);
            activations[activation] = new double[choices.size()];
            for (int choice = 0; choice < choices.size(); choice++) {
                QuantizationPlan plan = new QuantizationPlan(List.of(), choices.get(choice));
                activations[activation][choice] = error(samples, plan, List.of(), expected);
            }
        }
        return new SensitivitySums(samples.size(), energy, kernels, activations, counts.multiplications, counts.values);
    }

    private List<double[]> floatOutputs(SampleBatch samples, LayerCosts.Counts counts) {
        try (NDManager scope = Engines.newScope(floatModel.device());
                Autograd.Recording paused = Autograd.pause()) {
            Map<String, NDArray> feeds = Engines.toArrays(scope, samples.inputs());
            return real(floatModel.run(
                    scope,
                    feeds,
                    (tensor, value) -> {
                        counts.add(tensor, value);
                        return value;
                    },
                    Set.of()));
        }
    }

    private double error(
            SampleBatch samples, QuantizationPlan plan, List<QuantizedLayer> layers, List<double[]> expected) {
        try (NDManager scope = Engines.newScope(floatModel.device())) {
            List<double[]> outputs = real(new QuantizedStudent(floatModel, plan, layers)
                    .run(scope, samples)
                    .outputs());
            double error = 0;
            for (int output = 0; output < outputs.size(); output++) {
                for (int i = 0; i < outputs.get(output).length; i++) {
                    double change = outputs.get(output)[i] - expected.get(output)[i];
                    error += change * change;
                }
            }
            return error;
        }
    }

    private static List<double[]> real(Map<String, NDArray> outputs) {
        List<double[]> values = new ArrayList<>();
        for (NDArray output : outputs.values()) {
            if (output.getDataType().isFloating()) {
                values.add(Engines.toDoubles(output));
            }
        }
        return values;
    }

    @Override
    public void close() {
        // Nothing is held between samples.
    }
}
