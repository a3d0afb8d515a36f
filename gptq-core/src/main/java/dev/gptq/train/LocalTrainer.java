package dev.gptq.train;

import java.util.ArrayList;
import java.util.List;

/** The training loop without Spark: the reference the distributed loop has to equal bit by bit. */
public final class LocalTrainer {
    private LocalTrainer() {}

    /** Runs the schedule's remaining steps; returns their numbers. */
    public static List<RoundingTrainer.StepResult> run(
            RoundingTrainer trainer, GradientExchange exchange, BatchSchedule schedule) {
        List<RoundingTrainer.StepResult> results = new ArrayList<>();
        while (trainer.step() < schedule.totalSteps()) {
            StepBatches batches = schedule.step(trainer.step());
            results.add(trainer.update(exchange.exchange(trainer.parameters(), batches)));
        }
        return results;
    }
}
