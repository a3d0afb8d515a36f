package dev.gptq.config;

import java.io.Serializable;

/** Gradual activation quantization: out = (1 - q) * x + q * Q(x) with q from the policy. */
public record GradualActivationQuantizationConfig(QFractionLinearAnnealingConfig qFractionSchedulerPolicy)
        implements Serializable {}
