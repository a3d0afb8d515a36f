package dev.gptq.train;

import dev.gptq.config.OptimizerConfig;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** The optimizer that CONTRIBUTING.md adds. */
class ContributedOptimizerTest {
    // example: optimizer
    /** Lion (Chen et al., 2023): the sign of an interpolated momentum, with decoupled weight decay. */
    static final class LionOptimizer extends Optimizer {
        private final float[] momentum;

        LionOptimizer(OptimizerConfig config, int size) {
            super(config);
            this.momentum = new float[size];
        }

        @Override
        void apply(float[] parameters, float[] gradient, double learningRate, int step) {
            float rate = (float) learningRate;
            float decay = (float) config.weightDecay();
            float look = (float) config.beta1();
            float keep = (float) config.beta2();
            for (int i = 0; i < parameters.length; i++) {
                float direction = Math.signum(look * momentum[i] + (1 - look) * gradient[i]);
                parameters[i] -= rate * (direction + decay * parameters[i]);
                momentum[i] = keep * momentum[i] + (1 - keep) * gradient[i];
            }
        }

        @Override
        Map<String, float[]> state() {
            return Map.of("momentum", momentum);
        }
    }
    // end

    @Test
    void theFirstStepMovesEveryParameterByTheLearningRateAgainstItsGradient() {
        float[] parameters = {1, 1, 1};

        new LionOptimizer(OptimizerConfig.adam(0.5), 3).update(parameters, new float[] {3, -0.01f, 0}, 0, 10);

        assertThat(parameters).containsExactly(0.5f, 1.5f, 1);
    }

    @Test
    void aRestoredStateGoesOnAsIfNothingHadHappened() {
        float[] whole = {1, -2};
        float[] resumed = whole.clone();
        Optimizer optimizer = new LionOptimizer(OptimizerConfig.adam(0.1), 2);
        Optimizer before = new LionOptimizer(OptimizerConfig.adam(0.1), 2);
        for (int step = 0; step < 2; step++) {
            optimizer.update(whole, new float[] {step + 1, -1}, step, 10);
            before.update(resumed, new float[] {step + 1, -1}, step, 10);
        }
        Optimizer after = new LionOptimizer(OptimizerConfig.adam(0.1), 2);
        System.arraycopy(before.state().get("momentum"), 0, after.state().get("momentum"), 0, 2);

        optimizer.update(whole, new float[] {-1, 4}, 2, 10);
        after.update(resumed, new float[] {-1, 4}, 2, 10);

        assertThat(resumed).isEqualTo(whole);
    }
}
