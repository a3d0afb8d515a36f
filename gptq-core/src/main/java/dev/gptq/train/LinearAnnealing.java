package dev.gptq.train;

import dev.gptq.config.QFractionLinearAnnealingConfig;

/**
 * A value that moves linearly from {@code initial} at step {@code start} to {@code target} at step {@code end} and stays
 * there: initial + (target - initial) * clip((k - start) / (end - start), 0, 1).
 */
record LinearAnnealing(double initial, double target, int start, int end) {
    double at(int step) {
        double progress = Math.max(0, Math.min(1, (double) (step - start) / (end - start)));
        return initial + (target - initial) * progress;
    }

    /**
     * The quantized fraction of activations (MCT, gradual_activation_quantization); without an end step it ends with the run.
     */
    static LinearAnnealing quantizedFraction(QFractionLinearAnnealingConfig config, int totalSteps) {
        return new LinearAnnealing(
                config.initialQFraction(),
                config.targetQFraction(),
                config.startStep(),
                config.resolvedEndStep(totalSteps));
    }
}
