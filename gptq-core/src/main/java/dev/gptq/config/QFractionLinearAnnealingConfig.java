package dev.gptq.config;

import java.io.Serializable;

/** Linear growth of the quantized fraction of activations; {@code endStep} null means the last step. */
public record QFractionLinearAnnealingConfig(
        double initialQFraction, double targetQFraction, int startStep, Integer endStep) implements Serializable {}
