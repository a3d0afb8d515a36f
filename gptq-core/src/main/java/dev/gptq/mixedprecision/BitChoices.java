package dev.gptq.mixedprecision;

import dev.gptq.GptqException;
import dev.gptq.calibrate.LayerSettings;
import dev.gptq.config.MixedPrecisionConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.engine.GradientReach;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Whose bits are chosen, and from what.
 *
 * @param kernels of all layers that are quantized, in topological order
 * @param activations in graph order
 */
public record BitChoices(List<Kernel> kernels, List<Activation> activations) implements Serializable {
    /**
     * A kernel.
     *
     * @param weights number of its elements
     * @param bits ascending; a single one is given and not chosen
     * @param input index of the activation that it is multiplied with, or -1 for one that is not quantized
     */
    public record Kernel(ComparePoint point, long weights, List<Integer> bits, int input) implements Serializable {
        public Kernel {
            bits = List.copyOf(bits);
        }
    }

    /**
     * An activation quantizer, or those of a node with several outputs.
     *
     * @param name by which overrides reach it
     * @param bits ascending; a single one is given and not chosen
     */
    public record Activation(String name, List<String> tensors, List<Integer> bits) implements Serializable {
        public Activation {
            tensors = List.copyOf(tensors);
            bits = List.copyOf(bits);
        }

        boolean isChosen() {
            return bits.size() > 1;
        }
    }

    public BitChoices {
        kernels = List.copyOf(kernels);
        activations = List.copyOf(activations);
    }

    /** What a configuration with mixed precision leaves open about a prepared graph. */
    public static BitChoices of(Graph prepared, QuantizationConfig config) {
        MixedPrecisionConfig mixed = config.mixedPrecision();
        LayerSettings settings = LayerSettings.of(prepared, config);
        Map<String, List<String>> tensorsByName = new LinkedHashMap<>();
        for (String tensor : settings.tensors()) {
            List<String> names = settings.names(tensor);
            tensorsByName
                    .computeIfAbsent(names.get(names.size() - 1), name -> new ArrayList<>())
                    .add(tensor);
        }
        List<Activation> activations = new ArrayList<>();
        Map<String, Integer> indexByTensor = new LinkedHashMap<>();
        tensorsByName.forEach((name, tensors) -> {
            boolean chosen = mixed.budget().limitsActivations() && !settings.setsBits(tensors.get(0));
            int given = settings.activations(tensors.get(0)).bits();
            tensors.forEach(tensor -> indexByTensor.put(tensor, activations.size()));
            activations.add(new Activation(name, tensors, chosen ? mixed.activationsBits() : List.of(given)));
        });
        List<Kernel> kernels = new ArrayList<>();
        for (ComparePoint point : settings.points()) {
            boolean chosen = mixed.budget().limitsWeights() && !settings.setsBits(point);
            String input = settings.inputTensor(prepared, point);
            kernels.add(new Kernel(
                    point,
                    prepared.constants().get(point.weight()).size(),
                    chosen
                            ? mixed.weightsBits()
                            : List.of(settings.weights(point).bits()),
                    input == null ? -1 : indexByTensor.get(input)));
        }
        return new BitChoices(kernels, activations);
    }

    /** Number of weights of all kernels. */
    long weights() {
        return kernels.stream().mapToLong(Kernel::weights).sum();
    }

    /**
     * Finds what can be found without data.
     *
     * @throws GptqException BAD_INPUT when the kernels do not keep the budget with their least bits, or the way to measure
     *     sensitivity does not fit the model
     */
    public void requirePossible(Graph prepared, MixedPrecisionConfig config) {
        long least = kernels.stream()
                .mapToLong(kernel -> kernel.weights() * kernel.bits().get(0))
                .sum();
        Limits.requirePossible(config.budget(), this, least);
        if (config.sensitivity() != MixedPrecisionConfig.Sensitivity.HESSIAN) {
            return;
        }
        Set<String> blocked = GradientReach.blocked(prepared);
        List<String> layers = kernels.stream()
                .map(Kernel::point)
                .filter(point -> blocked.contains(point.output()))
                .map(ComparePoint::name)
                .toList();
        if (!layers.isEmpty()) {
            throw GptqException.badInput(
                    "Cannot measure the sensitivity of %s by the Hessian: operators without gradient lie between these"
                            + " layers and the outputs. Set quantization.mixed_precision.sensitivity to output_error.",
                    String.join(", ", layers));
        }
    }
}
