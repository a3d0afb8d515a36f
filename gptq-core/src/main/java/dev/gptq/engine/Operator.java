package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import java.util.function.Function;

/**
 * Computes the outputs of one kind of node, as ONNX defines it at opset 13 and later. Differentiable: float values pass
 * through engine operations only, none of them in place. Results are new arrays, never one of the inputs.
 */
@FunctionalInterface
interface Operator {
    /** The first output. */
    NDArray apply(Call call);

    /** The outputs that the node names, in order; null for those it leaves out. */
    default NDArray[] applyAll(Call call) {
        return new NDArray[] {apply(call)};
    }

    /** An operator of several outputs. */
    static Operator several(Function<Call, NDArray[]> outputs) {
        return new Operator() {
            @Override
            public NDArray apply(Call call) {
                return outputs.apply(call)[0];
            }

            @Override
            public NDArray[] applyAll(Call call) {
                return outputs.apply(call);
            }
        };
    }
}
