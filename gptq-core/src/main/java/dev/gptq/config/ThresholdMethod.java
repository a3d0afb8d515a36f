package dev.gptq.config;

/** What a threshold search minimises. */
public enum ThresholdMethod {
    NO_CLIPPING,
    MSE,
    MAE,
    LP,
    KL,
    /** The squared error weighted by the Hessian of the model's outputs; kernels only, and only with gradient training. */
    HMSE
}
