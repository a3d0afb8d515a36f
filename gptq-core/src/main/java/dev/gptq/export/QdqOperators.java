package dev.gptq.export;

import dev.gptq.graph.ElementType;

/**
 * Names of QuantizeLinear and DequantizeLinear at an opset: what ONNX lacks there, or ONNX Runtime 1.23 lacks of it, is taken
 * from ONNX Runtime's own domain, whose operators do the same and are joined to integer kernels in the same way.
 */
record QdqOperators(int opset) {
    private static final String RUNTIME_DOMAIN = "com.microsoft.";
    /** The first opset with 4-bit and 16-bit integers. */
    private static final int SHORTS = 21;
    /** ONNX Runtime 1.23 has no kernel for the form of these operators that begins here. */
    private static final int NOT_RUN = 23;

    String quantize(ElementType type) {
        return domain(type) + "QuantizeLinear";
    }

    String dequantize(ElementType type) {
        return domain(type) + "DequantizeLinear";
    }

    /** Whether there are 4-bit tensors, and a Cast that widens them. */
    boolean hasNibbles() {
        return opset >= SHORTS;
    }

    private String domain(ElementType type) {
        boolean wide = type == ElementType.INT16 || type == ElementType.UINT16;
        return opset >= NOT_RUN || wide && opset < SHORTS ? RUNTIME_DOMAIN : "";
    }
}
