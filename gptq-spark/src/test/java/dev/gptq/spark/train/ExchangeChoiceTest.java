package dev.gptq.spark.train;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.TrainingConfig;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ExchangeChoiceTest {
    private static final boolean STATIC = false;
    private static final boolean DYNAMIC = true;

    @Test
    void autoTakesTheBarrierWhereExecutorsStay() {
        ExchangeChoice choice = ExchangeChoice.of(config(TrainingConfig.AUTO), STATIC, 3);
        assertThat(choice.isBarrier()).isTrue();
        assertThat(choice.describe()).isEqualTo("exchange barrier (auto: executors stay, 3 of 3 task slots)");
        assertThat(ExchangeChoice.of(config(TrainingConfig.AUTO), STATIC, 9).reason())
                .as("no more tasks than lanes")
                .contains("4 of 9 task slots");
    }

    @Test
    void autoTakesJobsWhereExecutorsComeAndGoOrNoneIsThereYet() {
        assertThat(ExchangeChoice.of(config(TrainingConfig.AUTO), DYNAMIC, 3).describe())
                .isEqualTo("exchange job (auto: executors come and go (spark.dynamicAllocation.enabled))");
        assertThat(ExchangeChoice.of(config(TrainingConfig.AUTO), STATIC, 0).describe())
                .isEqualTo("exchange job (auto: no executor can take a task yet)");
    }

    @Test
    void theBarrierIsRefusedWithDynamicAllocation() {
        assertThatThrownBy(() -> ExchangeChoice.of(config(TrainingConfig.BARRIER), DYNAMIC, 3))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT))
                .hasMessage("Cannot use exchange 'barrier': executors come and go (spark.dynamicAllocation.enabled). "
                        + "Set training.exchange to auto or job, or switch dynamic allocation off.");
    }

    @Test
    void whatIsConfiguredIsTaken() {
        assertThat(ExchangeChoice.of(config(TrainingConfig.BARRIER), STATIC, 0).isBarrier())
                .isTrue();
        assertThat(ExchangeChoice.of(config(TrainingConfig.JOB), STATIC, 3).describe())
                .isEqualTo("exchange job (as configured)");
        assertThat(ExchangeChoice.of(config(TrainingConfig.JOB), DYNAMIC, 3).isBarrier())
                .isFalse();
    }

    private static TrainingConfig config(String exchange) {
        return new TrainingConfig(32, 4, null, 100, 2, exchange);
    }
}
