package dev.gptq.train;

/**
 * The rectified sigmoid h(alpha) = clip(1.2 * sigmoid(alpha) - 0.1, 0, 1) of soft rounding (MCT, soft_rounding). Arithmetic is
 * float32 in torch's order of operations, because h sits exactly on its border for weights that lie on the grid, and whether
 * their gradient passes must not depend on a rounding error.
 */
final class RectifiedSigmoid {
    private static final float GAMMA = -0.1f;
    private static final float ZETA_MINUS_GAMMA = 1.2f;
    /** Beyond ln 11 = 2.398 h is clipped, so the sigmoid need not be known there. */
    static final float LIMIT = 2.5f;

    private static final int INTERVALS = 256;
    private static final SmoothTable SIGMOID =
            new SmoothTable(-LIMIT, LIMIT, INTERVALS, RectifiedSigmoid::logistic, x -> logistic(x) * (1 - logistic(x)));

    private RectifiedSigmoid() {}

    private static double logistic(double x) {
        return 1 / (1 + DeterministicMath.exp(-x));
    }

    /** sigmoid(alpha), exact to float32 where h is not clipped. */
    static float sigmoid(float alpha) {
        return (float) SIGMOID.at(Math.max(-LIMIT, Math.min(LIMIT, alpha)));
    }

    /** h before its clip. */
    static float stretched(float sigmoid) {
        return sigmoid * ZETA_MINUS_GAMMA + GAMMA;
    }

    static float clipped(float stretched) {
        return Math.max(0, Math.min(1, stretched));
    }

    /** dh / dalpha; the clip's borders belong to the inside, as in torch. */
    static float slope(float sigmoid, float stretched) {
        return stretched >= 0 && stretched <= 1 ? ZETA_MINUS_GAMMA * sigmoid * (1 - sigmoid) : 0;
    }

    /** The alpha with h(alpha) = {@code fraction} for a fraction in [0, 1): -ln(1.2 / (fraction + 0.1) - 1). */
    static float inverse(float fraction) {
        return -(float) StrictMath.log(ZETA_MINUS_GAMMA / (fraction - GAMMA) - 1);
    }
}
