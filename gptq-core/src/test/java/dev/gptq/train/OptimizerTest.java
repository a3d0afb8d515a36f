package dev.gptq.train;

import dev.gptq.config.LearningRateSchedule;
import dev.gptq.config.OptimizerConfig;
import dev.gptq.config.OptimizerConfig.Type;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class OptimizerTest {
    private static final int STEPS = 12;

    static Stream<OptimizerConfig> optimizers() {
        return Stream.of(
                OptimizerConfig.adam(0.03),
                OptimizerConfig.builder(Type.ADAM)
                        .optLearningRate(0.1)
                        .optBetas(0.8, 0.95)
                        .optWeightDecay(0.1)
                        .build(),
                OptimizerConfig.adamW(0.05),
                OptimizerConfig.rAdam(0.05),
                OptimizerConfig.builder(Type.RADAM)
                        .optLearningRate(0.05)
                        .optWeightDecay(0.2)
                        .optBetas(0.9, 0.9)
                        .build(),
                OptimizerConfig.sgd(0.1, 0),
                OptimizerConfig.sgd(0.1, 0.9),
                OptimizerConfig.builder(Type.SGD)
                        .optLearningRate(0.1)
                        .optMomentum(0.9)
                        .optNesterov(true)
                        .optWeightDecay(0.05)
                        .build(),
                OptimizerConfig.rmsProp(0.01),
                OptimizerConfig.builder(Type.RMSPROP)
                        .optLearningRate(0.01)
                        .optMomentum(0.5)
                        .optWeightDecay(0.1)
                        .build(),
                OptimizerConfig.builder(Type.ADAM)
                        .optLearningRate(0.1)
                        .optSchedule(LearningRateSchedule.cosine(0.1))
                        .build());
    }

    @ParameterizedTest
    @MethodSource("optimizers")
    void updatesFollowTorchsFormulas(OptimizerConfig config) {
        float[] parameters = {1, -0.5f, 2};
        TorchReference reference = new TorchReference(config, parameters);
        Optimizer optimizer = Optimizer.of(config, parameters.length);
        for (int step = 0; step < STEPS; step++) {
            float[] gradient = new float[parameters.length];
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] = (float) Math.sin(1 + 3 * i + 0.7 * step) * (i == 1 ? 1e-3f : 1);
            }
            reference.step(gradient, step, STEPS);
            optimizer.update(parameters, gradient, step, STEPS);
            for (int i = 0; i < parameters.length; i++) {
                assertThat((double) parameters[i]).isCloseTo(reference.parameters[i], within(2e-6));
            }
        }
    }

    @Test
    void aStepScheduleLowersTheRateEveryFewSteps() {
        LearningRateSchedule schedule = LearningRateSchedule.step(3, 0.5);
        assertThat(Optimizer.scheduleFactor(schedule, 2, 10)).isEqualTo(1);
        assertThat(Optimizer.scheduleFactor(schedule, 3, 10)).isEqualTo(0.5);
        assertThat(Optimizer.scheduleFactor(schedule, 8, 10)).isEqualTo(0.25);
    }

    @Test
    void aCosineScheduleFallsFromOneToItsMinimum() {
        LearningRateSchedule schedule = LearningRateSchedule.cosine(0.2);
        assertThat(Optimizer.scheduleFactor(schedule, 0, 10)).isEqualTo(1);
        assertThat(Optimizer.scheduleFactor(schedule, 5, 10)).isCloseTo(0.6, within(1e-12));
        assertThat(Optimizer.scheduleFactor(schedule, 10, 10)).isCloseTo(0.2, within(1e-12));
    }

    /** The pseudo-code of torch.optim's documentation, one parameter at a time in double precision. */
    private static final class TorchReference {
        private final OptimizerConfig config;
        private final double[] parameters;
        private final double[] first;
        private final double[] second;

        TorchReference(OptimizerConfig config, float[] start) {
            this.config = config;
            this.parameters = new double[start.length];
            for (int i = 0; i < start.length; i++) {
                parameters[i] = start[i];
            }
            this.first = new double[start.length];
            this.second = new double[start.length];
        }

        void step(float[] gradient, int step, int total) {
            double rate = config.learningRate();
            if (config.schedule().type() == LearningRateSchedule.Type.COSINE) {
                double low = config.schedule().minimumFactor();
                rate *= low + (1 - low) * (1 + Math.cos(Math.PI * step / total)) / 2;
            }
            for (int i = 0; i < parameters.length; i++) {
                double g = gradient[i];
                if (config.type() == Type.ADAMW) {
                    parameters[i] -= rate * config.weightDecay() * parameters[i];
                } else {
                    g += config.weightDecay() * parameters[i];
                }
                parameters[i] -= rate * direction(i, g, step + 1);
            }
        }

        private double direction(int i, double g, int t) {
            return switch (config.type()) {
                case SGD -> sgd(i, g, t);
                case RMSPROP -> rmsProp(i, g, t);
                case ADAM, ADAMW -> {
                    moments(i, g);
                    yield corrected(first[i], config.beta1(), t)
                            / (Math.sqrt(corrected(second[i], config.beta2(), t)) + config.epsilon());
                }
                case RADAM -> {
                    moments(i, g);
                    yield rAdam(i, t);
                }
            };
        }

        private void moments(int i, double g) {
            first[i] = config.beta1() * first[i] + (1 - config.beta1()) * g;
            second[i] = config.beta2() * second[i] + (1 - config.beta2()) * g * g;
        }

        private static double corrected(double moment, double beta, int t) {
            return moment / (1 - Math.pow(beta, t));
        }

        private double rAdam(int i, int t) {
            double b2 = config.beta2();
            double infinity = 2 / (1 - b2) - 1;
            double rho = infinity - 2 * t * Math.pow(b2, t) / (1 - Math.pow(b2, t));
            double mean = corrected(first[i], config.beta1(), t);
            if (rho <= 5) {
                return mean;
            }
            double adaptive = Math.sqrt(1 - Math.pow(b2, t)) / (Math.sqrt(second[i]) + config.epsilon());
            double rectification =
                    Math.sqrt((rho - 4) * (rho - 2) * infinity / ((infinity - 4) * (infinity - 2) * rho));
            return mean * rectification * adaptive;
        }

        private double sgd(int i, double g, int t) {
            first[i] = t == 1 ? g : config.momentum() * first[i] + g;
            if (config.momentum() == 0) {
                return g;
            }
            return config.nesterov() ? g + config.momentum() * first[i] : first[i];
        }

        private double rmsProp(int i, double g, int t) {
            second[i] = config.beta2() * second[i] + (1 - config.beta2()) * g * g;
            double direction = g / (Math.sqrt(second[i]) + config.epsilon());
            first[i] = config.momentum() * first[i] + direction;
            return config.momentum() > 0 ? first[i] : direction;
        }
    }
}
