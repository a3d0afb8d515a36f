package dev.gptq.config;

import java.io.Serializable;

/**
 * What is done to the float graph before rounding is learned, with MCT's names and defaults (MCT, QuantizationConfig). Folding
 * and collapsing keep the float function; shift-negative correction and the softmax shift keep it up to rounding.
 *
 * @param batchNormFolding BatchNormalization goes into the layer before it (MCT always does)
 * @param batchNormForwardFolding BatchNormalization, or a 1x1 depthwise convolution, goes into the 1x1 convolution behind it
 * @param linearCollapsing a convolution and the 1x1 convolution behind it become one
 * @param residualCollapsing conv(x) + x becomes one convolution
 * @param reluBoundToPowerOfTwo upper bounds of ReLU6-like activations are scaled to a power of two
 * @param shiftNegativeActivationCorrection small negative parts of activations are shifted to zero and subtracted in the
 *     bias of the next layer
 * @param shiftNegativeRatio largest |minimum| / threshold that counts as small, in (0, 1]
 * @param shiftNegativeParamsSearch whether threshold and shift are searched together by histogram error
 * @param concatThresholdUpdate inputs of a concatenation get its threshold
 * @param softmaxShift inputs of Softmax are centred through the bias of the layer before
 * @param weightsSecondMomentCorrection the student's kernels and biases are scaled so that rounded layers keep mean and
 *     variance of the BatchNormalization that was folded into them
 * @param activationSmoothing channels that are larger than others are divided before they are put on a grid, and the linear
 *     layers that read them multiplied (SmoothQuant; not in MCT)
 */
public record PreparationConfig(
        boolean batchNormFolding,
        boolean batchNormForwardFolding,
        boolean linearCollapsing,
        boolean residualCollapsing,
        boolean reluBoundToPowerOfTwo,
        boolean shiftNegativeActivationCorrection,
        double shiftNegativeRatio,
        boolean shiftNegativeParamsSearch,
        boolean concatThresholdUpdate,
        boolean softmaxShift,
        boolean weightsSecondMomentCorrection,
        boolean activationSmoothing)
        implements Serializable {
    private static final double DEFAULT_SHIFT_NEGATIVE_RATIO = 0.05;

    public PreparationConfig {
        Check.that(
                shiftNegativeRatio > 0 && shiftNegativeRatio <= 1,
                "shift_negative_ratio",
                shiftNegativeRatio,
                "it is outside 0 < x <= 1",
                "Use for example " + DEFAULT_SHIFT_NEGATIVE_RATIO);
    }

    /** MCT's defaults: folding, collapsing and shift-negative correction. */
    public static PreparationConfig defaults() {
        return new PreparationConfig(
                true, true, true, true, false, true, DEFAULT_SHIFT_NEGATIVE_RATIO, false, false, false, false, false);
    }

    /** A builder that starts from the defaults. */
    public static PreparationConfigBuilder builder() {
        return new PreparationConfigBuilder(defaults());
    }

    /** A builder that starts from this configuration. */
    public PreparationConfigBuilder toBuilder() {
        return new PreparationConfigBuilder(this);
    }
}
