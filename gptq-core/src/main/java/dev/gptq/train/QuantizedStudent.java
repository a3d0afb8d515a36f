package dev.gptq.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;
import java.util.List;
import java.util.Map;

/**
 * The quantized model in the engine, with the exporter's arithmetic: integer kernels, biases rounded to the int32 grid of
 * (input scale * weight scale), activations fully quantized.
 */
public final class QuantizedStudent {
    public QuantizedStudent(GraphExecutor floatModel, QuantizationPlan plan, List<QuantizedLayer> layers) {
        throw new UnsupportedOperationException();
    }

    /** Model outputs (quantized where the plan says so) and raw compare-point outputs, by tensor name. */
    public Map<String, NDArray> run(NDManager manager, SampleBatch batch) {
        throw new UnsupportedOperationException();
    }
}
