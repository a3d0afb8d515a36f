package dev.gptq.train;

import dev.gptq.config.LearningRateSchedule;
import dev.gptq.config.OptimizerConfig;
import java.util.Map;

/**
 * An optimizer of one flat group of parameters with torch's update rule, in float32. Its arrays are the whole state: the
 * step count comes from the caller, so that state can be checkpointed and restored.
 */
abstract class Optimizer {
    final OptimizerConfig config;

    Optimizer(OptimizerConfig config) {
        this.config = config;
    }

    static Optimizer of(OptimizerConfig config, int size) {
        return switch (config.type()) {
            case ADAM, ADAMW, RADAM -> new AdamOptimizer(config, size);
            case SGD -> new SgdOptimizer(config, size);
            case RMSPROP -> new RmsPropOptimizer(config, size);
        };
    }

    /**
     * Updates {@code parameters} in place; {@code gradient} may be overwritten.
     *
     * @param step number of updates before this one
     * @param totalSteps length of the run, which schedules refer to
     */
    final void update(float[] parameters, float[] gradient, int step, int totalSteps) {
        double learningRate = config.learningRate() * scheduleFactor(config.schedule(), step, totalSteps);
        apply(parameters, gradient, learningRate, step);
    }

    abstract void apply(float[] parameters, float[] gradient, double learningRate, int step);

    /** The state's arrays by name, not copied. */
    abstract Map<String, float[]> state();

    /** Adds L2 weight decay to the gradient, as torch's optimizers do except AdamW. */
    final void decayIntoGradient(float[] parameters, float[] gradient) {
        float decay = (float) config.weightDecay();
        if (decay != 0) {
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] += decay * parameters[i];
            }
        }
    }

    static double scheduleFactor(LearningRateSchedule schedule, int step, int totalSteps) {
        return switch (schedule.type()) {
            case CONSTANT -> 1;
            case COSINE -> {
                double low = schedule.minimumFactor();
                yield low + (1 - low) * (1 + StrictMath.cos(Math.PI * step / totalSteps)) / 2;
            }
            case STEP -> StrictMath.pow(schedule.gamma(), step / schedule.stepSize());
        };
    }
}
