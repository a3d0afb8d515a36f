package dev.gptq.config;

import java.io.Serializable;

/**
 * An optimizer described as data; dev.gptq.train implements it on flat arrays with torch's update rules. The factories
 * and the builder start from torch's default hyper-parameters of the type.
 *
 * @param type Adam, AdamW, RAdam, SGD or RMSprop
 * @param learningRate finite, above 0
 * @param beta1 first moment decay (Adam family), in [0, 1)
 * @param beta2 second moment decay (Adam family), in [0, 1); alpha of RMSprop
 * @param epsilon added to denominators, above 0
 * @param weightDecay from 0 up; decoupled for AdamW, added to the gradient for the others
 * @param momentum SGD and RMSprop, from 0 up
 * @param nesterov SGD; needs momentum
 * @param schedule how the learning rate moves
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
        ADAM("Adam"),
        ADAMW("AdamW"),
        RADAM("RAdam"),
        SGD("SGD"),
        RMSPROP("RMSprop");

        private final String torchName;

        Type(String torchName) {
            this.torchName = torchName;
        }

        /** The class name in torch.optim, which is also the name in YAML. */
        public String torchName() {
            return torchName;
        }

        /** Whether the rule has two moments: Adam, AdamW, RAdam. */
        public boolean isAdamFamily() {
            return this == ADAM || this == ADAMW || this == RADAM;
        }
    }

    public OptimizerConfig {
        Check.given(type, "type", "Use Adam, AdamW, RAdam, SGD or RMSprop");
        Check.positive(learningRate, "learning_rate");
        Check.decay(beta1, "betas");
        Check.decay(beta2, type == Type.RMSPROP ? "alpha" : "betas");
        Check.positive(epsilon, "epsilon");
        Check.notNegative(weightDecay, "weight_decay");
        Check.notNegative(momentum, "momentum");
        Check.that(
                momentum == 0 || type == Type.SGD || type == Type.RMSPROP,
                "momentum",
                momentum,
                type.torchName() + " has no momentum",
                "Remove it, or use SGD or RMSprop");
        Check.that(
                !nesterov || (type == Type.SGD && momentum > 0),
                "nesterov",
                nesterov,
                "Nesterov's step needs SGD with momentum",
                "Set momentum, for example to 0.9, or nesterov to false");
        Check.given(schedule, "schedule", "Use constant, cosine or step");
    }

    /** torch.optim.Adam's defaults with this learning rate. */
    public static OptimizerConfig adam(double learningRate) {
        return builder(Type.ADAM).optLearningRate(learningRate).build();
    }

    /** torch.optim.AdamW's defaults (weight decay 0.01) with this learning rate. */
    public static OptimizerConfig adamW(double learningRate) {
        return builder(Type.ADAMW).optLearningRate(learningRate).build();
    }

    /** torch.optim.RAdam's defaults with this learning rate. */
    public static OptimizerConfig rAdam(double learningRate) {
        return builder(Type.RADAM).optLearningRate(learningRate).build();
    }

    /** torch.optim.SGD's defaults with this learning rate and momentum. */
    public static OptimizerConfig sgd(double learningRate, double momentum) {
        return builder(Type.SGD)
                .optLearningRate(learningRate)
                .optMomentum(momentum)
                .build();
    }

    /** torch.optim.RMSprop's defaults (alpha 0.99) with this learning rate. */
    public static OptimizerConfig rmsProp(double learningRate) {
        return builder(Type.RMSPROP).optLearningRate(learningRate).build();
    }

    /** A builder with torch's defaults of the type. */
    public static Builder builder(Type type) {
        return new Builder(type);
    }

    /** Collects hyper-parameters. */
    public static final class Builder {
        private final Type type;
        private double learningRate;
        private double beta1 = 0.9;
        private double beta2;
        private double epsilon = 1e-8;
        private double weightDecay;
        private double momentum;
        private boolean nesterov;
        private LearningRateSchedule schedule = LearningRateSchedule.CONSTANT;

        private Builder(Type type) {
            Check.given(type, "type", "Use Adam, AdamW, RAdam, SGD or RMSprop");
            this.type = type;
            this.learningRate = type == Type.RMSPROP ? 1e-2 : 1e-3;
            this.beta2 = type == Type.RMSPROP ? 0.99 : 0.999;
            this.weightDecay = type == Type.ADAMW ? 1e-2 : 0;
        }

        public Builder optLearningRate(double value) {
            this.learningRate = value;
            return this;
        }

        /** Moment decays of the Adam family. */
        public Builder optBetas(double first, double second) {
            this.beta1 = first;
            this.beta2 = second;
            return this;
        }

        /** Smoothing factor of RMSprop. */
        public Builder optAlpha(double value) {
            this.beta2 = value;
            return this;
        }

        public Builder optEpsilon(double value) {
            this.epsilon = value;
            return this;
        }

        public Builder optWeightDecay(double value) {
            this.weightDecay = value;
            return this;
        }

        public Builder optMomentum(double value) {
            this.momentum = value;
            return this;
        }

        public Builder optNesterov(boolean value) {
            this.nesterov = value;
            return this;
        }

        public Builder optSchedule(LearningRateSchedule value) {
            this.schedule = value;
            return this;
        }

        public OptimizerConfig build() {
            return new OptimizerConfig(
                    type, learningRate, beta1, beta2, epsilon, weightDecay, momentum, nesterov, schedule);
        }
    }
}
