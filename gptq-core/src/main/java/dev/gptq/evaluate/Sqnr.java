package dev.gptq.evaluate;

/** Signal to quantization noise ratio in decibels. */
final class Sqnr {
    /** What identical tensors are given instead of infinity; float32 itself ends near 150 dB. */
    static final double CEILING_DB = 200;

    private Sqnr() {}

    /**
     * {@code 10 log10(signal / noise)}, kept within +-{@value #CEILING_DB}; NaN when a sum is not finite.
     *
     * @param signal sum of squared float values
     * @param noise sum of squared differences
     */
    static double decibels(double signal, double noise) {
        if (!Double.isFinite(signal) || !Double.isFinite(noise)) {
            return Double.NaN;
        }
        if (noise == 0) {
            return CEILING_DB;
        }
        double ratio = 10 * StrictMath.log10(signal / noise);
        return Math.max(-CEILING_DB, Math.min(CEILING_DB, ratio));
    }
}
