package dev.gptq.train;

import dev.gptq.config.OptimizerConfig;
import java.util.LinkedHashMap;
import java.util.Map;

/** RMSprop with momentum as in torch.optim.RMSprop (not centred); its smoothing constant is the configuration's beta2. */
final class RmsPropOptimizer extends Optimizer {
    private final float[] square;
    private final float[] momentum;

    RmsPropOptimizer(OptimizerConfig config, int size) {
        super(config);
        this.square = new float[size];
        this.momentum = new float[size];
    }

    @Override
    void apply(float[] parameters, float[] gradient, double learningRate, int step) {
        decayIntoGradient(parameters, gradient);
        float rate = (float) learningRate;
        float keep = (float) config.beta2();
        float add = (float) (1 - config.beta2());
        float epsilon = (float) config.epsilon();
        float inertia = (float) config.momentum();
        for (int i = 0; i < parameters.length; i++) {
            float g = gradient[i];
            square[i] = keep * square[i] + add * (g * g);
            float direction = g / ((float) Math.sqrt(square[i]) + epsilon);
            momentum[i] = inertia * momentum[i] + direction;
            parameters[i] -= rate * momentum[i];
        }
    }

    @Override
    Map<String, float[]> state() {
        Map<String, float[]> state = new LinkedHashMap<>();
        state.put("square", square);
        state.put("momentum", momentum);
        return state;
    }
}
