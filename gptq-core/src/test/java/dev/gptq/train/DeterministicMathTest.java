package dev.gptq.train;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class DeterministicMathTest {
    private static final Percentage TINY = Percentage.withPercentage(1e-9);

    @Test
    void exponentialsAgreeWithTheStandardLibrary() {
        for (double x = -40; x < 40; x += 0.0137) {
            assertThat(DeterministicMath.exp(x)).isCloseTo(StrictMath.exp(x), TINY);
        }
        assertThat(DeterministicMath.exp(0)).isEqualTo(1);
        assertThat(DeterministicMath.exp(-1e9)).isBetween(0.0, 1e-300);
    }

    @Test
    void powersAgreeWithTheStandardLibrary() {
        for (double x = 1e-7; x < 1; x += 0.00071) {
            for (double y = 2; y <= 20; y += 3.7) {
                assertThat(DeterministicMath.pow(x, y)).isCloseTo(StrictMath.pow(x, y), TINY);
            }
        }
        assertThat(DeterministicMath.pow(0, 2)).isZero();
        assertThat(DeterministicMath.pow(1, 20)).isEqualTo(1);
    }
}
