package dev.gptq.jobs.bench;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class ExchangeSimulationTest {
    private static final ExchangeCosts COSTS = new ExchangeCosts(1e9, 1e-3, 0);

    @Test
    void twoExecutorsSendHalfOfTheGradientThereAndBack() {
        // 4 MB: 2 ms for half of it, twice, and one millisecond of latency each way.
        assertThat(new ExchangeSimulation(COSTS, 1_000_000, 2).run(new double[2]))
                .isCloseTo(6e-3, within(1e-9));
        assertThat(COSTS.seconds(1_000_000, 2)).isCloseTo(6e-3, within(1e-9));
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 4, 32, 256})
    void theFormulaIsTheSimulationsWithAnyNumberOfExecutors(int executors) {
        double simulated = new ExchangeSimulation(COSTS, 10_000_000, executors).run(new double[executors]);

        assertThat(simulated).isCloseTo(COSTS.seconds(10_000_000, executors), Percentage.withPercentage(5));
    }

    @Test
    void nobodyIsDoneBeforeTheSlowestExecutorHasSentItsGradient() {
        double late = 0.5;

        double end = new ExchangeSimulation(COSTS, 1_000_000, 4).run(new double[] {0, late, 0, 0});

        assertThat(end).isGreaterThan(late + 4e-3 * 3 / 4 + 2e-3);
    }

    @Test
    void oneExecutorHasNobodyToSendTo() {
        assertThat(COSTS.seconds(1_000_000, 1)).isZero();
    }
}
