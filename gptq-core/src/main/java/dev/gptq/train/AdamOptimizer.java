package dev.gptq.train;

import dev.gptq.config.OptimizerConfig;
import dev.gptq.config.OptimizerConfig.Type;
import java.util.LinkedHashMap;
import java.util.Map;

/** Adam, AdamW (decoupled weight decay) and RAdam (rectified variance) as in torch.optim. */
final class AdamOptimizer extends Optimizer {
    /** RAdam rectifies once the variance's approximated length exceeds this (torch.optim.RAdam). */
    private static final double RECTIFICATION_LENGTH = 5;

    private final float[] moment1;
    private final float[] moment2;

    AdamOptimizer(OptimizerConfig config, int size) {
        super(config);
        this.moment1 = new float[size];
        this.moment2 = new float[size];
    }

    @Override
    void apply(float[] parameters, float[] gradient, double learningRate, int step) {
        if (config.type() == Type.ADAMW) {
            float keep = (float) (1 - learningRate * config.weightDecay());
            for (int i = 0; i < parameters.length; i++) {
                parameters[i] *= keep;
            }
        } else {
            decayIntoGradient(parameters, gradient);
        }
        accumulate(gradient);
        double correction1 = 1 - StrictMath.pow(config.beta1(), step + 1);
        double correction2 = 1 - StrictMath.pow(config.beta2(), step + 1);
        if (config.type() == Type.RADAM) {
            rectified(parameters, learningRate / correction1, correction2, step + 1);
        } else {
            scaled(parameters, learningRate / correction1, Math.sqrt(correction2));
        }
    }

    private void accumulate(float[] gradient) {
        float keep1 = (float) config.beta1();
        float add1 = (float) (1 - config.beta1());
        float keep2 = (float) config.beta2();
        float add2 = (float) (1 - config.beta2());
        for (int i = 0; i < gradient.length; i++) {
            float g = gradient[i];
            moment1[i] = keep1 * moment1[i] + add1 * g;
            moment2[i] = keep2 * moment2[i] + add2 * (g * g);
        }
    }

    /** p -= rate * m / (sqrt(v) / root + epsilon). */
    private void scaled(float[] parameters, double rate, double root) {
        float step = (float) rate;
        float divisor = (float) root;
        float epsilon = (float) config.epsilon();
        for (int i = 0; i < parameters.length; i++) {
            float length = (float) Math.sqrt(moment2[i]) / divisor + epsilon;
            parameters[i] -= step * (moment1[i] / length);
        }
    }

    private void rectified(float[] parameters, double rate, double correction2, int t) {
        double longest = 2 / (1 - config.beta2()) - 1;
        double length = longest - 2 * t * StrictMath.pow(config.beta2(), t) / correction2;
        if (length <= RECTIFICATION_LENGTH) {
            float step = (float) rate;
            for (int i = 0; i < parameters.length; i++) {
                parameters[i] -= step * moment1[i];
            }
            return;
        }
        double rectification =
                Math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
        float step = (float) (rate * rectification * Math.sqrt(correction2));
        float epsilon = (float) config.epsilon();
        for (int i = 0; i < parameters.length; i++) {
            parameters[i] -= step * (moment1[i] / ((float) Math.sqrt(moment2[i]) + epsilon));
        }
    }

    @Override
    Map<String, float[]> state() {
        Map<String, float[]> state = new LinkedHashMap<>();
        state.put("moment1", moment1);
        state.put("moment2", moment2);
        return state;
    }
}
