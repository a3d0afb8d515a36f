package dev.gptq.train;

import dev.gptq.config.LearningRateSchedule;
import dev.gptq.config.QFractionLinearAnnealingConfig;
import dev.gptq.config.RoundingPhasesConfig;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** Bounds, end points and direction of everything that moves over a run. */
class SchedulePropertyTest {
    private static final double EXACT = 1e-12;

    @Property
    void theRegularizersExponentFallsFromTwentyToTwo(@ForAll @IntRange(min = 1, max = 5000) int totalSteps) {
        LinearAnnealing exponent =
                RoundingPhases.of(RoundingPhasesConfig.defaults(), totalSteps).regularizerExponent();
        double before = 20;
        for (int step = 0; step <= totalSteps; step++) {
            assertThat(exponent.at(step)).isBetween(2.0, before);
            before = exponent.at(step);
            if (step <= (int) (0.2 * totalSteps)) {
                assertThat(before).isEqualTo(20);
            }
        }
        assertThat(before).isEqualTo(2);
        assertThat(exponent.at(totalSteps + 1)).isEqualTo(2);
    }

    @Property
    void theQuantizedFractionGrowsFromItsFirstToItsLastValue(
            @ForAll @DoubleRange(min = 0, max = 0.4) double initial,
            @ForAll @DoubleRange(min = 0.5, max = 1) double target,
            @ForAll @IntRange(min = 0, max = 50) int start,
            @ForAll @IntRange(min = 1, max = 100) int length,
            @ForAll @IntRange(min = 0, max = 100) int rest,
            @ForAll boolean openEnd) {
        int end = start + length;
        int totalSteps = openEnd ? end : end + rest;
        var config = new QFractionLinearAnnealingConfig(initial, target, start, openEnd ? null : end);
        LinearAnnealing fraction = LinearAnnealing.quantizedFraction(config, totalSteps);
        double before = initial;
        for (int step = 0; step <= totalSteps; step++) {
            assertThat(fraction.at(step)).isBetween(before, target + EXACT);
            before = fraction.at(step);
        }
        assertThat(fraction.at(0)).isEqualTo(initial);
        assertThat(fraction.at(start)).isEqualTo(initial);
        assertThat(fraction.at(end)).isCloseTo(target, within(EXACT));
    }

    @Property
    void aCosineScheduleFallsFromOneToItsMinimum(
            @ForAll @DoubleRange(min = 0, max = 1) double minimum,
            @ForAll @IntRange(min = 1, max = 1000) int totalSteps) {
        LearningRateSchedule schedule = LearningRateSchedule.cosine(minimum);
        double before = 1;
        for (int step = 0; step <= totalSteps; step++) {
            double factor = Optimizer.scheduleFactor(schedule, step, totalSteps);
            assertThat(factor).isBetween(minimum - EXACT, before);
            before = factor;
        }
        assertThat(Optimizer.scheduleFactor(schedule, 0, totalSteps)).isCloseTo(1, within(EXACT));
        assertThat(before).isCloseTo(minimum, within(EXACT));
        double halfWay = Optimizer.scheduleFactor(schedule, totalSteps, 2 * totalSteps);
        assertThat(halfWay).isCloseTo((1 + minimum) / 2, within(EXACT));
    }

    @Property
    void aStepScheduleIsMultipliedEveryFewStepsAndConstantBetween(
            @ForAll @DoubleRange(min = 0.1, max = 1) double gamma, @ForAll @IntRange(min = 1, max = 40) int stepSize) {
        LearningRateSchedule schedule = LearningRateSchedule.step(stepSize, gamma);
        double expected = 1;
        for (int reduction = 0; reduction < 5; reduction++) {
            int first = reduction * stepSize;
            assertThat(Optimizer.scheduleFactor(schedule, first, 1000)).isCloseTo(expected, within(EXACT));
            assertThat(Optimizer.scheduleFactor(schedule, first + stepSize - 1, 1000))
                    .isCloseTo(expected, within(EXACT));
            expected *= gamma;
        }
    }

    @Property
    void aConstantScheduleStaysAtOne(@ForAll @IntRange(min = 0, max = 1000) int step) {
        assertThat(Optimizer.scheduleFactor(LearningRateSchedule.CONSTANT, step, 1000))
                .isEqualTo(1);
    }
}
