package dev.gptq.evaluate;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;
import java.util.List;

/** Runs float, PTQ and GPTQ model side by side: whole models in ONNX Runtime, compare points in the engine. */
public final class ModelEvaluator implements AutoCloseable {
    public ModelEvaluator(
            byte[] floatModel,
            byte[] ptqModel,
            byte[] gptqModel,
            GraphExecutor prepared,
            QuantizationPlan plan,
            List<QuantizedLayer> ptqLayers,
            List<QuantizedLayer> gptqLayers) {
        throw new UnsupportedOperationException();
    }

    public BlockMetrics evaluate(SampleBatch batch) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
