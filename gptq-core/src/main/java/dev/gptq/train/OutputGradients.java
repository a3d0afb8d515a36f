package dev.gptq.train;

import ai.djl.ndarray.NDArray;
import java.util.List;

/**
 * A micro-batch's share of the loss and its gradient with respect to the student's output at each compare point, without
 * history.
 *
 * @param layers the compare points' parts of the share; empty when they are not known
 */
public record OutputGradients(double share, double[] layers, List<NDArray> gradients) {
    /** Without the parts of the compare points. */
    public OutputGradients(double share, List<NDArray> gradients) {
        this(share, new double[0], gradients);
    }

    /** The share, then its parts. */
    double[] losses() {
        double[] losses = new double[1 + layers.length];
        losses[0] = share;
        System.arraycopy(layers, 0, losses, 1, layers.length);
        return losses;
    }
}
