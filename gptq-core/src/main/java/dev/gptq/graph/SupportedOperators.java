package dev.gptq.graph;

import java.util.Arrays;
import java.util.Set;

/** Which ONNX operators, and which of their forms, this project runs. */
public final class SupportedOperators {
    /** Operators by ONNX name; Constant nodes become constants when a model is read. */
    public static final Set<String> NAMES = Set.of(
            "Abs",
            "Add",
            "AveragePool",
            "BatchNormalization",
            "Cast",
            "Clip",
            "Concat",
            "Constant",
            "Conv",
            "ConvTranspose",
            "Div",
            "Dropout",
            "Erf",
            "Exp",
            "Flatten",
            "Gather",
            "Gemm",
            "GlobalAveragePool",
            "GlobalMaxPool",
            "HardSigmoid",
            "HardSwish",
            "Identity",
            "LeakyRelu",
            "Log",
            "LogSoftmax",
            "MatMul",
            "Max",
            "MaxPool",
            "Min",
            "Mul",
            "Neg",
            "Pad",
            "Pow",
            "ReduceMean",
            "ReduceSum",
            "Relu",
            "Reshape",
            "Shape",
            "Sigmoid",
            "Slice",
            "Softmax",
            "Sqrt",
            "Squeeze",
            "Sub",
            "Tanh",
            "Transpose",
            "Unsqueeze");

    private static final int MAX_SPATIAL_RANK = 2;

    private SupportedOperators() {}

    /** Why a node of a supported operator cannot be run, or null when it can. */
    public static String problem(Node node) {
        return switch (node.opType()) {
            case "Pad" ->
                node.text("mode", "constant").equals("constant")
                        ? null
                        : "mode '" + node.text("mode", "") + "' (only constant)";
            case "MaxPool", "AveragePool" -> poolProblem(node);
            case "Conv", "ConvTranspose" -> kernelProblem(node);
            case "BatchNormalization" -> batchNormProblem(node);
            default -> null;
        };
    }

    private static String poolProblem(Node node) {
        long[] dilations = node.integers("dilations", new long[0]);
        if (Arrays.stream(dilations).anyMatch(dilation -> dilation != 1)) {
            return "dilations " + Arrays.toString(dilations) + " (only 1)";
        }
        return kernelProblem(node);
    }

    private static String kernelProblem(Node node) {
        long[] kernel = node.integers("kernel_shape", new long[1]);
        return kernel.length <= MAX_SPATIAL_RANK ? null : kernel.length + " spatial dimensions (at most 2)";
    }

    private static String batchNormProblem(Node node) {
        if (node.integer("training_mode", 0) != 0) {
            return "training_mode 1 (export the model for inference)";
        }
        return node.integer("spatial", 1) == 0 ? "spatial 0 (only 1)" : null;
    }
}
