package dev.gptq.calibrate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A plan while corrections change it; quantizers keep their places. */
final class PlanEditor {
    private final List<WeightQuantizer> weights;
    private final Map<String, ActivationQuantizer> activations = new LinkedHashMap<>();
    private final List<GraphCorrection> corrections;

    PlanEditor(QuantizationPlan plan) {
        weights = new ArrayList<>(plan.weights());
        plan.activations().forEach(quantizer -> activations.put(quantizer.tensor(), quantizer));
        corrections = new ArrayList<>(plan.corrections());
    }

    /** The quantizer that the plan has for a tensor of the prepared graph, or null. */
    ActivationQuantizer activation(String tensor) {
        return activations.get(tensor);
    }

    /** Puts a quantizer, which may be of another tensor, in the place of {@code tensor}'s. */
    void replace(String tensor, ActivationQuantizer quantizer) {
        activations.replace(tensor, quantizer);
    }

    /** The layer's quantizer, or null for a layer that stays in float. */
    WeightQuantizer weight(String layer) {
        return weights.stream()
                .filter(quantizer -> quantizer.point().name().equals(layer))
                .findFirst()
                .orElse(null);
    }

    void replace(WeightQuantizer quantizer) {
        weights.replaceAll(old -> old.point().equals(quantizer.point()) ? quantizer : old);
    }

    void correct(GraphCorrection correction) {
        corrections.add(correction);
    }

    QuantizationPlan plan() {
        return new QuantizationPlan(weights, List.copyOf(activations.values()), corrections);
    }
}
