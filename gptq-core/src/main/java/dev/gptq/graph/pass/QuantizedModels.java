package dev.gptq.graph.pass;

import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import java.util.Set;

/** Recognises models that have been quantized before. */
final class QuantizedModels {
    private static final Set<String> QUANTIZED = Set.of(
            "QuantizeLinear",
            "DequantizeLinear",
            "DynamicQuantizeLinear",
            "QLinearConv",
            "QLinearMatMul",
            "ConvInteger",
            "MatMulInteger");

    private QuantizedModels() {}

    /** Fails with UNSUPPORTED_MODEL when a node of {@code graph} works on quantized values. */
    static void refuse(Graph graph) {
        for (Node node : graph.nodes()) {
            if (QUANTIZED.contains(node.opType())) {
                throw GptqException.unsupported(
                        "Cannot quantize model '%s': it is already quantized (%s holds '%s'). Give the float model it was"
                                + " made from.",
                        graph.name(), node.opType(), node.name());
            }
        }
    }
}
