package dev.gptq.spark.train;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.TrainingConfig;
import org.apache.spark.SparkContext;

/**
 * Which exchange a run takes, and why.
 *
 * @param name {@link TrainingConfig#JOB} or {@link TrainingConfig#BARRIER}
 * @param reason a few words for people
 */
record ExchangeChoice(String name, String reason) {
    private static final String DYNAMIC = "spark.dynamicAllocation.enabled";

    /**
     * Chooses for the cluster at hand.
     *
     * @param slots tasks that can run at once now
     */
    static ExchangeChoice of(TrainingConfig config, SparkContext spark, int slots) {
        boolean dynamic = !spark.isLocal() && spark.conf().getBoolean(DYNAMIC, false);
        return of(config, dynamic, slots);
    }

    static ExchangeChoice of(TrainingConfig config, boolean dynamic, int slots) {
        boolean automatic = config.exchange().equals(TrainingConfig.AUTO);
        if (config.exchange().equals(TrainingConfig.BARRIER) && dynamic) {
            throw new GptqException(
                    ErrorCode.BAD_INPUT,
                    "Cannot use exchange 'barrier': executors come and go (" + DYNAMIC
                            + "). Set training.exchange to auto or job, or switch dynamic allocation off.");
        }
        if (!automatic) {
            return new ExchangeChoice(config.exchange(), "as configured");
        }
        if (dynamic) {
            return new ExchangeChoice(TrainingConfig.JOB, "auto: executors come and go (" + DYNAMIC + ")");
        }
        if (slots < 1) {
            return new ExchangeChoice(TrainingConfig.JOB, "auto: no executor can take a task yet");
        }
        return new ExchangeChoice(
                TrainingConfig.BARRIER,
                "auto: executors stay, " + Math.min(slots, config.lanes()) + " of " + slots + " task slots");
    }

    boolean isBarrier() {
        return name.equals(TrainingConfig.BARRIER);
    }

    /** One line for people. */
    String describe() {
        return "exchange " + name + " (" + reason + ")";
    }
}
