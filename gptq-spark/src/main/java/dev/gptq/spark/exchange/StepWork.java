package dev.gptq.spark.exchange;

import dev.gptq.train.LaneGradient;

/**
 * What the JVMs of a stage compute together, step by step: gradients of lanes, and updates of slices of the parameters.
 * Called by several threads at once, but never for the same lane or slice; {@link #finish} by one, while all others wait.
 */
public interface StepWork {
    /** Element borders of the slices: slice i holds elements [borders[i], borders[i + 1]) of the parameters. */
    int[] borders();

    /** Numbers that the update of a slice yields. */
    int numbers(int slice);

    /** Writes the parameters of a slice that this JVM owns, before the first step. */
    void write(int slice, float[] parameters);

    /** Lanes of a step, at least one. */
    int lanes(int step);

    /** The gradient of one lane, whose array the caller may change. */
    LaneGradient lane(int step, int lane, float[] parameters);

    /**
     * Updates a slice and writes its new parameters.
     *
     * @param gradient holds the folded gradient of the slice from {@code position} on
     * @param numbers gets the update's numbers from {@code numbersAt} on
     */
    void update(
            int step, int slice, float[] gradient, int position, float[] parameters, double[] numbers, int numbersAt);

    /** Begins a step, for which all parameters are there; called as {@link #finish} is. */
    default void begin(int step, float[] parameters) {}

    /**
     * Ends a step.
     *
     * @param losses the folded ones of {@link LaneGradient#losses}
     * @param numbers of all slices in slice order
     */
    void finish(int step, double[] losses, double[] numbers, float[] parameters);
}
