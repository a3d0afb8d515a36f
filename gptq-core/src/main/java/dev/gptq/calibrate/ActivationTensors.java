package dev.gptq.calibrate;

import dev.gptq.graph.Graph;
import java.util.List;

/** Which tensors get an activation quantizer: model inputs and op outputs, the last tensor of each fused group. */
public final class ActivationTensors {
    private ActivationTensors() {}

    /** The quantized tensors of a prepared graph, in graph order. */
    public static List<String> of(Graph prepared) {
        throw new UnsupportedOperationException();
    }
}
