package dev.gptq.hessian;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class RandomSignsTest {
    @Test
    void aSamplesSignsDoNotDependOnItsBatch() {
        float[] together = RandomSigns.of(3, 10, 4, 5, 100);
        float[] alone = RandomSigns.of(3, 12, 1, 5, 100);
        assertThat(alone).containsExactly(Arrays.copyOfRange(together, 200, 300));
    }

    @Test
    void signsAreBalancedAndUncorrelatedBetweenIterationsSamplesAndSeeds() {
        int length = 10_000;
        float[] base = RandomSigns.of(0, 0, 1, 0, length);
        for (float[] other : new float[][] {
            RandomSigns.of(0, 0, 1, 1, length), RandomSigns.of(0, 1, 1, 0, length), RandomSigns.of(1, 0, 1, 0, length)
        }) {
            double sum = 0;
            double product = 0;
            for (int i = 0; i < length; i++) {
                assertThat(Math.abs(other[i])).isEqualTo(1f);
                sum += other[i];
                product += base[i] * other[i];
            }
            // Five standard deviations of a sum of fair signs.
            assertThat(Math.abs(sum)).isLessThan(5 * Math.sqrt(length));
            assertThat(Math.abs(product)).isLessThan(5 * Math.sqrt(length));
        }
    }
}
