package dev.gptq.spark.train;

import dev.gptq.train.RoundingTrainer;
import dev.gptq.train.TrainerState;
import java.util.List;

/** A point training can continue from: the trainer's state and the numbers of all steps before it. */
record Checkpoint(TrainerState state, List<RoundingTrainer.StepResult> history) {
    Checkpoint {
        history = List.copyOf(history);
    }
}
