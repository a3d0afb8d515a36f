package dev.gptq.export;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.graph.Graph;
import java.util.List;

/** Plan and rounded layers -> ONNX with QuantizeLinear / DequantizeLinear pairs and integer weights. */
public final class QdqExporter {
    private QdqExporter() {}

    /** The quantized model file at {@code opset} (13 or later). */
    public static byte[] export(Graph prepared, QuantizationPlan plan, List<QuantizedLayer> layers, int opset) {
        throw new UnsupportedOperationException();
    }

    /** The int32 grid of a layer's bias: input scale * weight scale, one per channel; null when bias stays float. */
    public static float[] biasScale(Graph prepared, QuantizationPlan plan, QuantizedLayer layer) {
        throw new UnsupportedOperationException();
    }
}
