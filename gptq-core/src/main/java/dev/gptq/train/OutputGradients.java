package dev.gptq.train;

import ai.djl.ndarray.NDArray;
import java.util.List;

/**
 * A micro-batch's share of the loss and its gradient with respect to the student's output at each compare point, without
 * history.
 */
public record OutputGradients(double share, List<NDArray> gradients) {}
