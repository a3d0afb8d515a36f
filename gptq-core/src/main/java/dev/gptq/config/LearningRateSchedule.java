package dev.gptq.config;

import java.io.Serializable;

/**
 * How the learning rate moves over the T steps of a run.
 *
 * @param minimumFactor COSINE: factor reached at step T
 * @param stepSize STEP: steps between two reductions
 * @param gamma STEP: factor of each reduction
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
}
