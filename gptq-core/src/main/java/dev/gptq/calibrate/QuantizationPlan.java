package dev.gptq.calibrate;

import java.io.Serializable;
import java.util.List;

/** Every quantizer of a model: weights in compare-point order, activations in graph order. The content of plan.json. */
public record QuantizationPlan(List<WeightQuantizer> weights, List<ActivationQuantizer> activations)
        implements Serializable {
    public QuantizationPlan {
        weights = List.copyOf(weights);
        activations = List.copyOf(activations);
    }
}
