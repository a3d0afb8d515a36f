package dev.gptq.train;

import dev.gptq.config.RoundingPhasesConfig;

/**
 * The phases of a run in steps: warm-up before {@code annealingStart}, then annealing before {@code annealingEnd}.
 *
 * @param endsHard whether roundings are hard from {@code annealingEnd} on, or soft to the end
 */
record RoundingPhases(int annealingStart, int annealingEnd, boolean warmUpRegularization, boolean endsHard) {
    private static final double FIRST_EXPONENT = 20;
    private static final double LAST_EXPONENT = 2;

    static RoundingPhases of(RoundingPhasesConfig config, int totalSteps) {
        int hardSteps = (int) (config.hardFraction() * totalSteps);
        return new RoundingPhases(
                (int) (config.warmUpFraction() * totalSteps),
                totalSteps - hardSteps,
                config.warmUpRegularization(),
                hardSteps > 0);
    }

    /** The regularizer's exponent beta: 20 in the warm-up, then falling to 2 (MCT, regularization_factory). */
    LinearAnnealing regularizerExponent() {
        return new LinearAnnealing(FIRST_EXPONENT, LAST_EXPONENT, annealingStart, annealingEnd);
    }

    boolean isRegularized(int step) {
        return !isHard(step) && (warmUpRegularization || step >= annealingStart);
    }

    /** Whether roundings are fixed in this step. */
    boolean isHard(int step) {
        return endsHard && step >= annealingEnd;
    }
}
