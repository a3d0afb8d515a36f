package dev.gptq.train;

import dev.gptq.config.OptimizerConfig;
import java.util.Map;

/** Stochastic gradient descent with momentum and Nesterov's variant as in torch.optim.SGD (dampening 0). */
final class SgdOptimizer extends Optimizer {
    private final float[] momentum;

    SgdOptimizer(OptimizerConfig config, int size) {
        super(config);
        this.momentum = new float[size];
    }

    @Override
    void apply(float[] parameters, float[] gradient, double learningRate, int step) {
        decayIntoGradient(parameters, gradient);
        float rate = (float) learningRate;
        // torch sets the buffer to the first gradient; starting from zeros gives the same.
        float keep = (float) config.momentum();
        float ahead = config.nesterov() ? keep : 1;
        float direct = config.nesterov() ? 1 : 0;
        for (int i = 0; i < parameters.length; i++) {
            float velocity = keep * momentum[i] + gradient[i];
            momentum[i] = velocity;
            parameters[i] -= rate * (direct * gradient[i] + ahead * velocity);
        }
    }

    @Override
    Map<String, float[]> state() {
        return Map.of("momentum", momentum);
    }
}
