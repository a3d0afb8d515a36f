package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.pattern.Unit;
import java.util.Map;
import java.util.Set;

/** Which operators a target computes together with the one behind them, so that no quantizer is between the two. */
enum Fusing {
    /** What MCT's default target and TensorRT compute with the layer in front. */
    TOOLKIT,
    /** What ONNX Runtime 1.23 turns into integer kernels. */
    ONNX_RUNTIME;

    private static final Set<String> LIMITS = Set.of("Relu", "Clip");
    private static final Set<String> AFTER_CONVOLUTION =
            Set.of("Relu", "Clip", "LeakyRelu", "HardSwish", "PRelu", "Sigmoid", "Tanh");
    private static final Set<String> AFTER_LINEAR = Set.of("Relu", "Clip", "LeakyRelu", "HardSwish", "Sigmoid");
    private static final Set<String> AFTER_ARITHMETIC = Set.of("Relu", "Clip", "LeakyRelu");
    private static final Set<String> ARITHMETIC = Set.of("Add", "Sub", "Mul", "Div");

    static Fusing of(QuantizationConfig config) {
        return config.preset().equals("onnxruntime") ? ONNX_RUNTIME : TOOLKIT;
    }

    /**
     * The operators of a target's table.
     *
     * <p>ONNX Runtime: an integer convolution, sum or product ends in integers, so only what their limits can express is
     * computed with them; integer linear layers may end in real numbers; it has no integer ConvTranspose.
     */
    private Map<String, Set<String>> table() {
        Set<String> behindConvolution = this == ONNX_RUNTIME ? LIMITS : AFTER_CONVOLUTION;
        return Map.of(
                "Conv", behindConvolution,
                "ConvTranspose", AFTER_CONVOLUTION,
                "Gemm", AFTER_LINEAR,
                "MatMul", AFTER_LINEAR);
    }

    boolean joins(String operator, String next) {
        if (ARITHMETIC.contains(operator)) {
            return (this == ONNX_RUNTIME ? LIMITS : AFTER_ARITHMETIC).contains(next);
        }
        return table().getOrDefault(operator, Set.of()).contains(next);
    }

    /** Whether a function written as several operators is computed with the operator in front, as MCT does with swish. */
    boolean joins(String operator, Unit unit) {
        boolean swish = unit.kind() == Unit.Kind.GATED;
        boolean convolution = this == TOOLKIT && (operator.equals("Conv") || operator.equals("ConvTranspose"));
        return swish && (convolution || operator.equals("Gemm") || operator.equals("MatMul"));
    }
}
