package dev.gptq.config;

/** How rounding is learned. */
public enum RoundingType {
    /** Straight-through estimator: an auxiliary variable shifts the weight before rounding. */
    STE,
    /** A rectified sigmoid decides between rounding down and up. */
    SoftQuantizer
}
