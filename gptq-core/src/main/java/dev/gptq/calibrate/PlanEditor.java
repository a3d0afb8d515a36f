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

    WeightQuantizer weight(String layer) {
        return weights.get(indexOf(layer));
    }

    void replace(WeightQuantizer quantizer) {
        weights.set(indexOf(quantizer.point().name()), quantizer);
    }

    void correct(GraphCorrection correction) {
        corrections.add(correction);
    }

    QuantizationPlan plan() {
        return new QuantizationPlan(weights, List.copyOf(activations.values()), corrections);
    }

    private int indexOf(String layer) {
        for (int i = 0; i < weights.size(); i++) {
            if (weights.get(i).point().name().equals(layer)) {
                return i;
            }
        }
        throw new IllegalArgumentException("The plan has no layer " + layer + ".");
    }
}
