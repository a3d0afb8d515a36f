package dev.gptq.hessian;

/** Sums of the squared gradients that leaves collect, pass by pass. */
interface GradientSums {
    /** Adds the squares of what the leaves hold, and clears them for the next pass. */
    void take();

    /** For each compare point the mean over its sums, after {@code passes} passes. */
    double[] meanByPoint(int passes);
}
