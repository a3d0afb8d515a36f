package dev.gptq.spark.train;

import dev.gptq.train.RoundingTrainer.StepResult;
import dev.gptq.train.StudentParameters;

/**
 * What the driver hears of a step while a segment runs. It travels as arrays, which any class loader knows.
 *
 * @param layers each layer's part of the distillation loss; empty when the loss does not tell them
 * @param parameters what the step's student ran with, or null
 */
record StepReport(StepResult result, double[] layers, StudentParameters parameters) {
    Object[] encode() {
        double fraction = parameters == null ? 0 : parameters.quantizedFraction();
        double[] numbers = {result.step(), result.loss(), result.distillationLoss(), result.regularization(), fraction};
        return new Object[] {numbers, layers, parameters == null ? null : parameters.values()};
    }

    /** The report in a message of {@link #encode}. */
    static StepReport decode(Object[] parts) {
        double[] numbers = (double[]) parts[0];
        int step = (int) numbers[0];
        StepResult result = new StepResult(step, numbers[1], numbers[2], numbers[3]);
        return new StepReport(
                result,
                (double[]) parts[1],
                parts[2] == null ? null : new StudentParameters(step, (float[]) parts[2], numbers[4]));
    }
}
