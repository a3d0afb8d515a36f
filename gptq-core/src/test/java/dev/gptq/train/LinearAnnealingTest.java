package dev.gptq.train;

import dev.gptq.GptqException;
import dev.gptq.config.QFractionLinearAnnealingConfig;
import dev.gptq.config.RoundingPhasesConfig;
import dev.gptq.testing.Npz;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

class LinearAnnealingTest {
    private static final Npz ORACLE = Npz.resource("/oracle/annealing_activation.npz");

    @ParameterizedTest
    @ValueSource(ints = {10, 320, 640})
    void theExponentAndTheQuantizedFractionFollowMct(int totalSteps) {
        LinearAnnealing exponent =
                RoundingPhases.of(RoundingPhasesConfig.defaults(), totalSteps).regularizerExponent();
        LinearAnnealing fraction =
                LinearAnnealing.quantizedFraction(QFractionLinearAnnealingConfig.defaults(), totalSteps);
        double[] beta = ORACLE.doubles("beta_T" + totalSteps);
        double[] q = ORACLE.doubles("qfrac_T" + totalSteps);
        for (int step = 0; step <= totalSteps; step++) {
            assertThat(exponent.at(step)).isCloseTo(beta[step], within(2e-6));
            assertThat(fraction.at(step)).isCloseTo(q[step], within(1e-7));
        }
    }

    @Test
    void aRunThatEndsBeforeTheGrowthStartsIsRefused() {
        QFractionLinearAnnealingConfig late = new QFractionLinearAnnealingConfig(0, 1, 50, null);
        assertThatThrownBy(() -> LinearAnnealing.quantizedFraction(late, 50))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("start_step");
    }
}
