package dev.gptq.mixedprecision;

import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.BlockStatistics;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.LayerOverride;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.Graph;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The quantizers that a plan would have for each choice of bits.
 *
 * @param kernels by kernel and choice
 * @param activations by activation and choice, for each of its tensors; no choices for an activation whose bits are given
 */
public record CandidateQuantizers(
        List<List<WeightQuantizer>> kernels, List<List<List<ActivationQuantizer>>> activations)
        implements Serializable {
    /**
     * Chooses thresholds for all bits.
     *
     * @param hessians as for {@link PlanBuilder#build(Graph, BlockStatistics, QuantizationConfig, Map)}
     */
    public static CandidateQuantizers of(
            Graph prepared,
            BlockStatistics statistics,
            QuantizationConfig config,
            Map<String, float[]> hessians,
            BitChoices choices) {
        List<List<WeightQuantizer>> kernels = new ArrayList<>();
        Map<Integer, Map<String, WeightQuantizer>> kernelsByBits =
                kernels(prepared, statistics, config, hessians, choices);
        for (BitChoices.Kernel kernel : choices.kernels()) {
            kernels.add(kernel.bits().stream()
                    .map(bits -> kernelsByBits.get(bits).get(kernel.point().name()))
                    .toList());
        }
        Map<Integer, Map<String, ActivationQuantizer>> tensorsByBits = tensors(prepared, statistics, config, choices);
        List<List<List<ActivationQuantizer>>> activations = new ArrayList<>();
        for (BitChoices.Activation activation : choices.activations()) {
            List<List<ActivationQuantizer>> candidates = new ArrayList<>();
            for (int bits : activation.isChosen() ? activation.bits() : List.<Integer>of()) {
                candidates.add(activation.tensors().stream()
                        .map(tensorsByBits.get(bits)::get)
                        .toList());
            }
            activations.add(List.copyOf(candidates));
        }
        return new CandidateQuantizers(List.copyOf(kernels), List.copyOf(activations));
    }

    private static Map<Integer, Map<String, WeightQuantizer>> kernels(
            Graph prepared,
            BlockStatistics statistics,
            QuantizationConfig config,
            Map<String, float[]> hessians,
            BitChoices choices) {
        Map<Integer, Map<String, WeightQuantizer>> byBits = new HashMap<>();
        TreeSet<Integer> all = new TreeSet<>();
        choices.kernels().forEach(kernel -> all.addAll(kernel.bits()));
        for (int bits : all) {
            List<LayerOverride> overrides = new ArrayList<>(config.layers());
            for (BitChoices.Kernel kernel : choices.kernels()) {
                if (kernel.bits().contains(bits)) {
                    overrides.add(LayerOverride.ofWeights(kernel.point().name(), LayerOverride.Values.ofBits(bits)));
                }
            }
            Map<String, WeightQuantizer> quantizers = new HashMap<>();
            PlanBuilder.weights(prepared, statistics, config.withLayers(overrides), hessians)
                    .forEach(quantizer -> quantizers.put(quantizer.point().name(), quantizer));
            byBits.put(bits, quantizers);
        }
        return byBits;
    }

    private static Map<Integer, Map<String, ActivationQuantizer>> tensors(
            Graph prepared, BlockStatistics statistics, QuantizationConfig config, BitChoices choices) {
        Map<Integer, Map<String, ActivationQuantizer>> byBits = new HashMap<>();
        TreeSet<Integer> all = new TreeSet<>();
        choices.activations().stream()
                .filter(BitChoices.Activation::isChosen)
                .forEach(activation -> all.addAll(activation.bits()));
        for (int bits : all) {
            List<LayerOverride> overrides = new ArrayList<>(config.layers());
            for (BitChoices.Activation activation : choices.activations()) {
                if (activation.isChosen()) {
                    overrides.add(LayerOverride.ofActivations(activation.name(), LayerOverride.Values.ofBits(bits)));
                }
            }
            Map<String, ActivationQuantizer> quantizers = new HashMap<>();
            PlanBuilder.activations(prepared, statistics, config.withLayers(overrides))
                    .forEach(quantizer -> quantizers.put(quantizer.tensor(), quantizer));
            byBits.put(bits, quantizers);
        }
        return byBits;
    }
}
