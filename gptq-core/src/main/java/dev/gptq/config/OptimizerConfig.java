package dev.gptq.config;

import java.io.Serializable;

/**
 * An optimizer described as data; dev.gptq.train implements it on flat arrays with torch's update rules.
 *
 * @param type Adam, AdamW, RAdam, SGD or RMSprop
 * @param beta1 first moment decay (Adam family); alpha of RMSprop is {@code beta2}
 */
public record OptimizerConfig(
        Type type,
        double learningRate,
        double beta1,
        double beta2,
        double epsilon,
        double weightDecay,
        double momentum,
        boolean nesterov,
        LearningRateSchedule schedule)
        implements Serializable {
    /** The update rule. */
    public enum Type {
        ADAM,
        ADAMW,
        RADAM,
        SGD,
        RMSPROP
    }
}
