package dev.gptq.train;

import ai.djl.ndarray.NDArray;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.engine.Autograd;

/**
 * Quantizes one activation tensor in floating point: Q(x) = step * clip(round(x / step), minimum, maximum) with the zero
 * point taken off the bounds (MCT, ste activation quantizers). In training the quantized fraction f grows and the tensor is
 * (1 - f) * x + f * Q(x). MCT's straight-through estimator passes rounding and clip alike, so the gradient is 1 everywhere.
 */
public final class ActivationFakeQuantizer {
    /** Adding and subtracting 1.5 * 2^23 rounds a float of moderate size half to even, in place. */
    private static final float ROUNDER = 12582912f;

    private final float step;
    private final float lowest;
    private final float highest;

    public ActivationFakeQuantizer(ActivationQuantizer quantizer) {
        QuantizationGrid grid = quantizer.grid();
        this.step = grid.scale()[0];
        this.lowest = step * (grid.minimum() - grid.zeroPoint()[0]);
        this.highest = step * (grid.maximum() - grid.zeroPoint()[0]);
    }

    /** The blend (1 - fraction) * x + fraction * Q(x), whose gradient with respect to x is 1. */
    NDArray blend(NDArray x, double fraction) {
        if (fraction == 0) {
            return x;
        }
        NDArray change;
        try (Autograd.Recording paused = Autograd.pause()) {
            change = quantize(x).subi(x);
            if (fraction != 1) {
                change.muli((float) fraction);
            }
        }
        return change.addi(x);
    }

    /** Q(x), without gradient. */
    public NDArray quantize(NDArray x) {
        NDArray quantized = x.clip(lowest, highest);
        if (isPowerOfTwo(step)) {
            // Here the sum's own rounding is to multiples of the step.
            return quantized.addi(ROUNDER * step).subi(ROUNDER * step);
        }
        return quantized.divi(step).addi(ROUNDER).subi(ROUNDER).muli(step);
    }

    private static boolean isPowerOfTwo(float value) {
        return Float.compare(value, Math.scalb(1f, Math.getExponent(value))) == 0;
    }
}
