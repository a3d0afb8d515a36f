package dev.gptq.graph.pass;

import ai.djl.ndarray.NDArray;
import dev.gptq.GptqException;
import dev.gptq.engine.TensorHook;

/** Ends a run when all its tensors together have more elements than a model's constants should. */
final class ConstantsLimit implements TensorHook {
    private final String model;
    private final long maxElements;
    private long elements;

    ConstantsLimit(String model, long maxElements) {
        this.model = model;
        this.maxElements = maxElements;
    }

    @Override
    public NDArray onTensor(String tensor, NDArray value) {
        elements += value.size();
        if (elements > maxElements) {
            throw GptqException.unsupported(
                    "Cannot prepare model '%s': its constant nodes up to '%s' make more than %d elements. Export it with"
                            + " the computed values as constants.",
                    model, tensor, maxElements);
        }
        return value;
    }
}
