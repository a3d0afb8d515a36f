package dev.gptq.train;

import dev.gptq.train.RoundingTrainer.StepResult;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class LossLimitTest {
    @Test
    void theLimitIsTheFactorTimesTheLowestLossOfTheFirstSteps() {
        assertThat(LossLimit.of(history(4, 2, 3), 100.0)).isEqualTo(200);
    }

    @Test
    void laterStepsDoNotLowerTheLimit() {
        double[] losses = new double[40];
        for (int step = 0; step < losses.length; step++) {
            losses[step] = 40 - step;
        }

        // The lowest of steps 0 to 19 is that of step 19.
        assertThat(LossLimit.of(history(losses), 10.0)).isEqualTo(210);
    }

    @Test
    void aLossOfRoundingErrorsIsNotBelieved() {
        assertThat(LossLimit.of(history(1e-14, 1), 1e6)).isEqualTo(1e6 * LossLimit.SMALLEST);
    }

    @Test
    void thereIsNoLimitWithoutAFactorOrWithNothingToCompareWith() {
        assertThat(LossLimit.of(history(1, 1, 1), null)).isInfinite();
        assertThat(LossLimit.of(history(), 10.0)).isInfinite();
    }

    private static List<StepResult> history(double... losses) {
        List<StepResult> history = new ArrayList<>();
        for (double loss : losses) {
            // The regularization grows on purpose in every training; it does not count.
            history.add(new StepResult(history.size(), loss + 1e9, loss, 1e9));
        }
        return history;
    }
}
