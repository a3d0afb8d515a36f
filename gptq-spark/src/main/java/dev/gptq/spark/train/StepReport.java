package dev.gptq.spark.train;

import dev.gptq.train.RoundingTrainer.StepResult;
import dev.gptq.train.StudentParameters;

/**
 * What the driver hears of a step while a segment runs. It travels as arrays, which any class loader knows.
 *
 * @param parameters what the step's student ran with, or null
 */
record StepReport(StepResult result, StudentParameters parameters) {
    Object[] encode() {
        double fraction = parameters == null ? 0 : parameters.quantizedFraction();
        double[] numbers = {result.step(), result.loss(), result.distillationLoss(), result.regularization(), fraction};
        return new Object[] {numbers, parameters == null ? null : parameters.values()};
    }

    /** The report in a message of {@link #encode}. */
    static StepReport decode(Object[] parts) {
        double[] numbers = (double[]) parts[0];
        int step = (int) numbers[0];
        StepResult result = new StepResult(step, numbers[1], numbers[2], numbers[3]);
        return new StepReport(
                result, parts[1] == null ? null : new StudentParameters(step, (float[]) parts[1], numbers[4]));
    }
}
