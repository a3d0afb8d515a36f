package dev.gptq.engine;

import ai.djl.ndarray.NDArray;

/**
 * Computes the single output of one kind of node, as ONNX defines it at opset 13 and later. Differentiable: float values
 * pass through engine operations only, none of them in place. The result is a new array, never one of the inputs.
 */
@FunctionalInterface
interface Operator {
    NDArray apply(Call call);
}
