package dev.gptq.config;

/** What a threshold search minimises. */
public enum ThresholdMethod {
    NO_CLIPPING,
    MSE,
    MAE,
    LP,
    KL
}
