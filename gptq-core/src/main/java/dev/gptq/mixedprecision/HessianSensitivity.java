package dev.gptq.mixedprecision;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.GptqException;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.hessian.OutputPasses;
import dev.gptq.train.ActivationFakeQuantizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * To first order: e^T H e for the quantization error e of a kernel with its bias, or of an activation, where H = J^T J is
 * the Hessian that label-free scores are made of, J the derivative of one sample's outputs y. It is the expectation over
 * random sign vectors v of (d(v . y) . e)^2, so gradients need only be multiplied with errors, and one backward pass serves
 * all layers and bits. Where a sample has few outputs it is computed exactly, and equals |J e|^2.
 */
final class HessianSensitivity implements SensitivityMeasure {
    /** Random vectors per sample; also the number of outputs up to which the expectation is computed, not estimated. */
    static final int PASSES = 16;

    /** Keeps these vectors apart from those of other scores. */
    private static final long PURPOSE = 0x4d69786564L;

    private final GraphExecutor floatModel;
    private final List<BitChoices.Kernel> kernels;
    private final CandidateQuantizers candidates;
    private final LayerCosts costs;
    private final OutputPasses passes;
    private final NDManager scope;
    /** By kernel and choice; the errors of biases are null where nothing corrects them. */
    private final List<List<NDArray>> kernelErrors = new ArrayList<>();

    private final List<List<NDArray>> biasErrors = new ArrayList<>();
    private final Map<String, List<ActivationFakeQuantizer>> tensorQuantizers = new LinkedHashMap<>();

    HessianSensitivity(GraphExecutor floatModel, BitChoices choices, CandidateQuantizers candidates, long seed) {
        this.floatModel = floatModel;
        this.kernels = choices.kernels();
        this.candidates = candidates;
        this.costs = new LayerCosts(floatModel.graph(), choices);
        this.passes = new OutputPasses(seed ^ PURPOSE, PASSES, PASSES, false);
        this.scope = Engines.newScope(floatModel.device());
        for (List<WeightQuantizer> quantizers : candidates.kernels()) {
            kernelErrors.add(quantizers.stream().map(this::kernelError).toList());
            List<NDArray> errors = new ArrayList<>();
            quantizers.forEach(quantizer -> errors.add(biasError(quantizer)));
            biasErrors.add(errors);
        }
        for (List<List<ActivationQuantizer>> choicesOfOne : candidates.activations()) {
            for (List<ActivationQuantizer> quantizers : choicesOfOne) {
                for (ActivationQuantizer quantizer : quantizers) {
                    tensorQuantizers
                            .computeIfAbsent(quantizer.tensor(), tensor -> new ArrayList<>())
                            .add(new ActivationFakeQuantizer(quantizer));
                }
            }
        }
    }

    private NDArray kernelError(WeightQuantizer quantizer) {
        TensorData kernel = floatModel.graph().constants().get(quantizer.point().weight());
        QuantizationGrid grid = quantizer.grid();
        float[] error = grid.dequantize(grid.quantize(kernel.floats(), kernel.shape()), kernel.shape());
        for (int i = 0; i < error.length; i++) {
            error[i] -= kernel.floats()[i];
        }
        return Engines.toArray(scope, TensorData.ofFloats(error, kernel.shape()));
    }

    private NDArray biasError(WeightQuantizer quantizer) {
        if (quantizer.biasCorrection() == null) {
            return null;
        }
        TensorData bias = floatModel.graph().constants().get(quantizer.point().bias());
        float[] error = new float[bias.size()];
        for (int channel = 0; channel < error.length; channel++) {
            error[channel] = (float) -quantizer.biasCorrection()[channel];
        }
        return Engines.toArray(scope, TensorData.ofFloats(error, bias.shape()));
    }

    @Override
    public SensitivitySums of(SampleBatch sample) {
        if (sample.size() != 1) {
            throw new IllegalArgumentException("Cannot tell the gradients of " + sample.size() + " samples apart.");
        }
        try (NDManager manager = Engines.newScope(floatModel.device())) {
            Map<String, NDArray> feeds = Engines.toArrays(manager, sample.inputs());
            Projections projections = new Projections();
            addKernels(manager, feeds, projections);
            Map<String, NDArray> values = new HashMap<>();
            LayerCosts.Counts counts = costs.counts();
            NDArray outputs = run(manager, feeds, values, counts);
            addActivations(values, projections);
            int divisor = passes.run(manager, outputs, sample, projections);
            double[][] sums = projections.finish(divisor);
            requireFinite(sums, sample);
            double[][] ofKernels = Arrays.copyOf(sums, kernels.size());
            double[][] ofActivations = Arrays.copyOfRange(sums, kernels.size(), sums.length);
            return new SensitivitySums(
                    1, energy(outputs), ofKernels, ofActivations, counts.multiplications, counts.values);
        }
    }

    private void addKernels(NDManager manager, Map<String, NDArray> feeds, Projections projections) {
        Graph graph = floatModel.graph();
        for (int kernel = 0; kernel < kernels.size(); kernel++) {
            ComparePoint point = kernels.get(kernel).point();
            int weight = projections.input(leaf(manager, graph, point.weight(), feeds));
            boolean corrected = biasErrors.get(kernel).stream().anyMatch(Objects::nonNull);
            int bias = corrected ? projections.input(leaf(manager, graph, point.bias(), feeds)) : -1;
            List<List<Projections.Term>> choices = new ArrayList<>();
            for (int choice = 0; choice < kernelErrors.get(kernel).size(); choice++) {
                List<Projections.Term> terms = new ArrayList<>();
                terms.add(new Projections.Term(weight, kernelErrors.get(kernel).get(choice)));
                if (biasErrors.get(kernel).get(choice) != null) {
                    terms.add(new Projections.Term(bias, biasErrors.get(kernel).get(choice)));
                }
                choices.add(terms);
            }
            projections.variable(choices);
        }
    }

    private static NDArray leaf(NDManager manager, Graph graph, String constant, Map<String, NDArray> feeds) {
        NDArray leaf = Autograd.leaf(Engines.toArray(manager, graph.constants().get(constant)));
        feeds.put(constant, leaf);
        return leaf;
    }

    private NDArray run(
            NDManager manager, Map<String, NDArray> feeds, Map<String, NDArray> values, LayerCosts.Counts counts) {
        try (Autograd.Recording recording = Autograd.record()) {
            Map<String, NDArray> outputs = floatModel.run(manager, feeds, (tensor, value) -> {
                counts.add(tensor, value);
                if (tensorQuantizers.containsKey(tensor)) {
                    // The first ones start the history; behind them it is there already.
                    values.put(tensor, Autograd.leaf(value));
                }
                return value;
            });
            return OutputPasses.flatten(outputs, 1, floatModel.graph());
        }
    }

    private void addActivations(Map<String, NDArray> values, Projections projections) {
        try (Autograd.Recording paused = Autograd.pause()) {
            for (List<List<ActivationQuantizer>> choicesOfOne : candidates.activations()) {
                List<List<Projections.Term>> choices = new ArrayList<>();
                for (int choice = 0; choice < choicesOfOne.size(); choice++) {
                    List<Projections.Term> terms = new ArrayList<>();
                    for (ActivationQuantizer quantizer : choicesOfOne.get(choice)) {
                        NDArray value = values.get(quantizer.tensor());
                        NDArray error = tensorQuantizers
                                .get(quantizer.tensor())
                                .get(choice)
                                .quantize(value)
                                .subi(value);
                        terms.add(new Projections.Term(projections.input(value), error));
                    }
                    choices.add(terms);
                }
                projections.variable(choices);
            }
        }
    }

    private static double energy(NDArray outputs) {
        double energy = 0;
        for (float value : outputs.toFloatArray()) {
            energy += (double) value * value;
        }
        return energy;
    }

    private void requireFinite(double[][] sums, SampleBatch sample) {
        for (int i = 0; i < sums.length; i++) {
            String name = i < kernels.size() ? kernels.get(i).point().name() : "activation " + (i - kernels.size());
            for (double sum : sums[i]) {
                if (!Double.isFinite(sum)) {
                    throw GptqException.badInput(
                            "Cannot measure the sensitivity of layer %s: its gradient for sample %d is %s. Repair or remove"
                                    + " that sample.",
                            name, sample.firstIndex(), sum);
                }
            }
        }
    }

    @Override
    public void close() {
        scope.close();
    }
}
