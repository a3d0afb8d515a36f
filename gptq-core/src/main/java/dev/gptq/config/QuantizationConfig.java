package dev.gptq.config;

import java.io.Serializable;

/** What is quantized and how thresholds are chosen; presets fill it (onnxruntime, imx500, tensorrt). */
public record QuantizationConfig(
        String preset, Weights weights, Activations activations, boolean biasCorrection, int opset)
        implements Serializable {
    /** Kernels. {@code lpNorm} is the p of LP. */
    public record Weights(
            int bits, QuantizationMethod method, boolean perChannel, ThresholdMethod thresholdMethod, double lpNorm)
            implements Serializable {}

    /** Activations, per tensor. {@code signed} null: decided by the data (any negative value). */
    public record Activations(
            int bits,
            QuantizationMethod method,
            Boolean signed,
            ThresholdMethod thresholdMethod,
            double lpNorm,
            double zThreshold)
            implements Serializable {}
}
