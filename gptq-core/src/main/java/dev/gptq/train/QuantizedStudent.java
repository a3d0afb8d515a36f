package dev.gptq.train;

import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;
import java.util.List;

/**
 * The quantized model in the engine, with the exporter's arithmetic: integer kernels, biases rounded to the int32 grid of
 * (input scale * weight scale), activations fully quantized.
 */
public final class QuantizedStudent {
    public QuantizedStudent(GraphExecutor floatModel, QuantizationPlan plan, List<QuantizedLayer> layers) {
        throw new UnsupportedOperationException();
    }

    /** Runs a batch; {@code manager} owns the arrays of the result. */
    public StudentOutputs run(NDManager manager, SampleBatch batch) {
        throw new UnsupportedOperationException();
    }
}
