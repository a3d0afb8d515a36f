package dev.gptq.config;

import java.io.Serializable;

/**
 * How the learning rate moves over the T steps of a run: at step k it is the optimizer's learning rate times a factor.
 * CONSTANT: 1. COSINE: m + (1 - m) * (1 + cos(pi * k / T)) / 2 with m = {@code minimumFactor}. STEP: gamma^floor(k /
 * stepSize).
 *
 * @param minimumFactor COSINE: factor reached at step T, in [0, 1]
 * @param stepSize STEP: steps between two reductions, 1 or more
 * @param gamma STEP: factor of each reduction, in (0, 1]
 */
public record LearningRateSchedule(Type type, double minimumFactor, int stepSize, double gamma)
        implements Serializable {
    public static final LearningRateSchedule CONSTANT = new LearningRateSchedule(Type.CONSTANT, 1, 0, 1);

    /** The schedule's form. */
    public enum Type {
        CONSTANT,
        COSINE,
        STEP
    }

    public LearningRateSchedule {
        Check.given(type, "type", "Use constant, cosine or step");
        if (type == Type.COSINE) {
            Check.that(
                    minimumFactor >= 0 && minimumFactor <= 1,
                    "minimum_factor",
                    minimumFactor,
                    "it is outside 0 to 1",
                    "Use for example 0.0");
        }
        if (type == Type.STEP) {
            Check.atLeast(stepSize, 1, "step_size");
            Check.that(gamma > 0 && gamma <= 1, "gamma", gamma, "it is outside 0 < x <= 1", "Use for example 0.1");
        }
    }

    /** Cosine annealing down to {@code minimumFactor} times the learning rate. */
    public static LearningRateSchedule cosine(double minimumFactor) {
        return new LearningRateSchedule(Type.COSINE, minimumFactor, 0, 1);
    }

    /** Multiplies the learning rate by {@code gamma} every {@code stepSize} steps. */
    public static LearningRateSchedule step(int stepSize, double gamma) {
        return new LearningRateSchedule(Type.STEP, 1, stepSize, gamma);
    }
}
