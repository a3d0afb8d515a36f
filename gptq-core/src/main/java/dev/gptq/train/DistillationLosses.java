package dev.gptq.train;

import dev.gptq.config.GradientPTQConfig;

/** Losses by name. */
public final class DistillationLosses {
    private DistillationLosses() {}

    /**
     * The built-in loss of that name, else a new instance of the user class. Whether user classes are allowed at all is
     * the caller's to check.
     *
     * @throws dev.gptq.GptqException BAD_INPUT when there is no such class, or it is no {@link DistillationLoss}
     */
    public static DistillationLoss of(String name) {
        return switch (name) {
            case GradientPTQConfig.MULTIPLE_TENSORS_MSE -> new MultipleTensorsMse();
            case GradientPTQConfig.SAMPLE_LAYER_ATTENTION -> new SampleLayerAttention();
            default -> UserClasses.instantiate(name, DistillationLoss.class, "loss");
        };
    }
}
