package dev.gptq.train;

import java.util.List;

/**
 * Tells a loss that explodes from one that is merely high: a distillation loss is too high above {@code factor} times the
 * lowest one of the first steps. At the start, the student with soft rounding may equal the float model up to rounding
 * errors, so a lowest loss below {@value #SMALLEST} counts as that much.
 *
 * <p>A function of the losses alone, so a resumed run has the limit of an uninterrupted one.
 */
public final class LossLimit {
    static final double SMALLEST = 0.01;

    private static final int FIRST_STEPS = 20;

    private LossLimit() {}

    /**
     * The highest loss that the step after {@code history} may have; infinite while there is nothing to compare with.
     *
     * @param history all steps before
     * @param factor above 1; null for no limit
     */
    public static double of(List<RoundingTrainer.StepResult> history, Double factor) {
        if (factor == null || history.isEmpty()) {
            return Double.POSITIVE_INFINITY;
        }
        double lowest = history.subList(0, Math.min(FIRST_STEPS, history.size())).stream()
                .mapToDouble(RoundingTrainer.StepResult::distillationLoss)
                .min()
                .getAsDouble();
        return factor * Math.max(lowest, SMALLEST);
    }
}
