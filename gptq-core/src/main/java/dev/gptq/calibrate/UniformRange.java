package dev.gptq.calibrate;

/**
 * A uniform quantizer's range with zero on its grid: real = step * (q - zeroPoint), q in [0, 2^bits - 1].
 *
 * @param zeroPoint the integer that stands for zero
 */
record UniformRange(double step, int zeroPoint, int levels) {
    /**
     * Moves [min, max] so that zero is on the grid, keeping the width unless zero lies outside (MCT,
     * fix_range_to_include_zero). A range narrower than {@link QuantizationGrid#MIN_THRESHOLD} is widened to that.
     */
    static UniformRange includingZero(double min, double max, int bits) {
        int levels = (1 << bits) - 1;
        double low = Math.min(min, 0);
        double high = Math.max(max, 0);
        double step = Math.max(high - low, QuantizationGrid.MIN_THRESHOLD) / levels;
        return new UniformRange(step, (int) Math.min(levels, Math.rint(-low / step)), levels);
    }

    double min() {
        return step * -zeroPoint;
    }

    double max() {
        return step * (levels - zeroPoint);
    }
}
