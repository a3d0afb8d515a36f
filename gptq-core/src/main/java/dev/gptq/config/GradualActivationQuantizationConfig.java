package dev.gptq.config;

import java.io.Serializable;

/** Gradual activation quantization: out = (1 - q) * x + q * Q(x) with q from the policy. */
public record GradualActivationQuantizationConfig(QFractionLinearAnnealingConfig qFractionSchedulerPolicy)
        implements Serializable {
    public GradualActivationQuantizationConfig {
        Check.given(
                qFractionSchedulerPolicy,
                "q_fraction_scheduler_policy",
                "Remove the key for the default, or set the whole section to null to switch it off");
    }

    /** MCT's default: linear from 0 to 1 over the whole run. */
    public static GradualActivationQuantizationConfig defaults() {
        return new GradualActivationQuantizationConfig(QFractionLinearAnnealingConfig.defaults());
    }
}
