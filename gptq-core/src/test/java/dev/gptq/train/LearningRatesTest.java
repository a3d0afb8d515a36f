package dev.gptq.train;

import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.LearningRateSchedule;
import dev.gptq.config.OptimizerConfig;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class LearningRatesTest {
    private static final GradientPTQConfig CONFIG = GradientPTQConfig.builder()
            .setNEpochs(1)
            .optOptimizer(OptimizerConfig.builder(OptimizerConfig.Type.ADAM)
                    .optLearningRate(0.1)
                    .optSchedule(LearningRateSchedule.step(10, 0.5))
                    .build())
            .optOptimizerBias(OptimizerConfig.adam(1e-3))
            .build();

    @Test
    void ratesFollowTheirSchedules() {
        LearningRates rates = LearningRates.of(CONFIG, 41, 5);

        assertThat(rates.steps()).containsExactly(0, 10, 20, 30, 40);
        assertThat(rates.rates().get("rounding")).containsExactly(0.1, 0.05, 0.025, 0.0125, 0.00625);
        assertThat(rates.rates().get("bias")).containsOnly(1e-3);
        assertThat(rates.rates()).doesNotContainKey("scale");
    }

    @Test
    void aShortTrainingHasEveryStep() {
        assertThat(LearningRates.of(CONFIG, 3, 200).steps()).containsExactly(0, 1, 2);
        assertThat(LearningRates.of(CONFIG, 1, 200).steps()).containsExactly(0);
    }
}
