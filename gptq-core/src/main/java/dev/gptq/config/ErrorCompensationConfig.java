package dev.gptq.config;

import java.io.Serializable;

/**
 * Rounding with error compensation (OPTQ, called GPTQ by its authors; LDLQ in QuIP): a kernel's weights are rounded one input
 * after the other, and the inputs that follow make up for the error so far. Training starts from the result, and without
 * training it is the result. Not in MCT.
 *
 * @param numSamples calibration samples that the second moments of layer inputs are taken over, at most
 * @param damping share of the mean second moment of a layer's inputs that is added to each, above 0: keeps layers with few or
 *     dependent inputs from overfitting
 */
public record ErrorCompensationConfig(int numSamples, double damping) implements Serializable {
    public ErrorCompensationConfig {
        Check.atLeast(numSamples, 1, "num_samples");
        Check.positive(damping, "damping");
    }

    /** 1,024 samples, damping 0.01 as in OPTQ. */
    public static ErrorCompensationConfig defaults() {
        return new ErrorCompensationConfig(1024, 0.01);
    }
}
