package dev.gptq.config;

import java.io.Serializable;

/**
 * The phases of a run over T steps: warm-up while {@code k < floor(warmUpFraction * T)}, then annealing, then hard rounding in
 * the last floor(hardFraction * T) steps. The regularizer's exponent is 20 in the warm-up and falls linearly to 2 while
 * annealing.
 *
 * @param warmUpFraction share of the steps that the warm-up takes, in [0, 1)
 * @param warmUpRegularization whether the regularizer acts in the warm-up, as in MCT; AdaRound, BRECQ and QDrop switch it off
 * @param hardFraction share of the steps at the end in which roundings are hard and stay as they are, while biases and
 *     learned scales adapt to them; in [0, 1 - warmUpFraction)
 */
public record RoundingPhasesConfig(double warmUpFraction, boolean warmUpRegularization, double hardFraction)
        implements Serializable {
    public RoundingPhasesConfig {
        Check.decay(warmUpFraction, "warm_up_fraction");
        Check.decay(hardFraction, "hard_fraction");
        Check.that(
                warmUpFraction + hardFraction < 1,
                "hard_fraction",
                hardFraction,
                "with warm_up_fraction " + warmUpFraction + " it leaves no step to anneal in",
                "Use fractions whose sum is below 1");
    }

    /** MCT: a regularized warm-up of one fifth, and soft rounding to the end. */
    public static RoundingPhasesConfig defaults() {
        return new RoundingPhasesConfig(0.2, true, 0);
    }
}
