package dev.gptq.train;

/** The learned factor of a quantization step (MCT's quantization_parameter_learning): starts at 1 and stays positive. */
final class LearnedScale {
    static final float INITIAL = 1;
    private static final float SMALLEST = 0x1p-16f;

    private LearnedScale() {}

    /** The factor in effect: MCT replaces values that are not positive by 2^-16. */
    static float value(float scale) {
        return scale > 0 ? scale : SMALLEST;
    }

    /** Derivative of {@link #value}. */
    static float slope(float scale) {
        return scale > 0 ? 1 : 0;
    }
}
