package dev.gptq.graph;

import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Which ONNX operators, and which of their forms, this project runs. */
public final class SupportedOperators {
    /** Run with a gradient. Constant nodes become constants when a model is read. */
    private static final String DIFFERENTIABLE =
            """
            Abs Add AveragePool BatchNormalization Cast Clip Concat Constant Conv ConvTranspose Div Dropout Erf@9 Exp Flatten
            Gather Gemm GlobalAveragePool GlobalMaxPool HardSigmoid HardSwish@14 Identity LeakyRelu Log LogSoftmax MatMul Max
            MaxPool Min Mul Neg Pad Pow ReduceMean ReduceSum Relu Reshape Sigmoid Slice Softmax Sqrt Squeeze Sub Tanh
            Transpose Unsqueeze
            """;

    /** Run; their results are shapes, integers or truth values, which have no gradient. */
    private static final String WITHOUT_GRADIENT = "Shape";

    private static final Map<String, OperatorSupport> TABLE = table();

    /** Operators by ONNX name that are run. */
    public static final Set<String> NAMES = TABLE.keySet();

    private static final int MAX_SPATIAL_RANK = 2;

    private SupportedOperators() {}

    /** What is done with an operator of ONNX's own domain; null for one that is refused. */
    public static OperatorSupport of(String opType) {
        return TABLE.get(opType);
    }

    private static Map<String, OperatorSupport> table() {
        Map<String, OperatorSupport> table = new TreeMap<>();
        add(table, OperatorSupport.Way.DIFFERENTIABLE, DIFFERENTIABLE);
        add(table, OperatorSupport.Way.WITHOUT_GRADIENT, WITHOUT_GRADIENT);
        return Collections.unmodifiableMap(table);
    }

    private static void add(Map<String, OperatorSupport> table, OperatorSupport.Way way, String entries) {
        for (String entry : entries.trim().split("\\s+")) {
            OperatorSupport support = OperatorSupport.parse(entry, way);
            if (table.put(support.name(), support) != null) {
                throw new IllegalStateException("operator " + support.name() + " is listed twice");
            }
        }
    }

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
