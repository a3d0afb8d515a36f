package dev.gptq.config;

import java.io.Serializable;

/**
 * MCT's QFractionLinearAnnealingConfig: the quantized fraction q of activations grows linearly, q(k) = initial + (target
 * - initial) * clip((k - start) / (end - start), 0, 1) at step k.
 *
 * @param initialQFraction fraction at {@code startStep}; {@code 0 <= initial < target <= 1}
 * @param targetQFraction fraction at {@code endStep}
 * @param startStep first step of the growth, from 0 up
 * @param endStep last step of the growth, after {@code startStep}; null means the last step of the run
 */
public record QFractionLinearAnnealingConfig(
        double initialQFraction, double targetQFraction, int startStep, Integer endStep) implements Serializable {
    private static final String FRACTIONS = "expected 0 <= initial_q_fraction < target_q_fraction <= 1";

    public QFractionLinearAnnealingConfig {
        Check.that(
                initialQFraction >= 0 && initialQFraction < 1,
                "initial_q_fraction",
                initialQFraction,
                FRACTIONS,
                "Use for example 0.0");
        Check.that(
                targetQFraction > initialQFraction && targetQFraction <= 1,
                "target_q_fraction",
                targetQFraction,
                FRACTIONS + " and initial_q_fraction is " + initialQFraction,
                "Use for example 1.0");
        Check.atLeast(startStep, 0, "start_step");
        Check.that(
                endStep == null || endStep > startStep,
                "end_step",
                endStep,
                "expected start_step < end_step and start_step is " + startStep,
                "Use a later step, or null for the last step of the run");
    }

    /** MCT's default: from 0 at the first step to 1 at the last. */
    public static QFractionLinearAnnealingConfig defaults() {
        return new QFractionLinearAnnealingConfig(0, 1, 0, null);
    }

    /**
     * {@code endStep}, or the number of steps of the run where it is null.
     *
     * @throws dev.gptq.GptqException BAD_INPUT when the run ends before {@code startStep}
     */
    public int resolvedEndStep(int totalSteps) {
        int end = endStep == null ? totalSteps : endStep;
        Check.that(
                end > startStep,
                "start_step",
                startStep,
                "the run has only " + totalSteps + " steps",
                "Use a smaller start_step or more epochs");
        return end;
    }
}
