package dev.gptq.config;

/** How real values map to integers. */
public enum QuantizationMethod {
    /** Symmetric around zero, threshold a power of two. */
    POWER_OF_TWO,
    /** Symmetric around zero, any threshold. */
    SYMMETRIC,
    /** Any range that includes zero. */
    UNIFORM
}
