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
            Abs Acos@7 Add Asin@7 Atan@7 AveragePool BatchNormalization Cast CastLike@15 Celu@12 Clip Concat Constant Conv
            ConvTranspose Cos@7 Cosh@9 CumSum@11 DepthToSpace Div Dropout Einsum@12 Elu Erf@9 Exp Expand@8 Flatten Gather
            GatherElements@11 GatherND@11 Gelu@20 Gemm GlobalAveragePool GlobalMaxPool GroupNormalization@18 HardSigmoid
            HardSwish@14 Identity InstanceNormalization LRN LayerNormalization@17 LeakyRelu Log LogSoftmax MatMul Max MaxPool
            Mean Min Mish@18 Mul Neg PRelu Pad Pow RMSNormalization@23 Reciprocal ReduceL1 ReduceL2 ReduceLogSum
            ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize@10
            ScatterElements@11 ScatterND@11 Selu Shrink@9 Sigmoid Sin@7 Sinh@9 Slice Softmax Softplus Softsign SpaceToDepth
            Split Sqrt Squeeze Sub Sum Tan@7 Tanh ThresholdedRelu@10 Tile Transpose Trilu@14 Unsqueeze Where@9
            """;

    /** Run; their results are shapes, integers or truth values, which have no gradient. */
    private static final String WITHOUT_GRADIENT =
            """
            And ArgMax ArgMin BitShift@11 BitwiseAnd@18 BitwiseNot@18 BitwiseOr@18 BitwiseXor@18 ConvInteger@10
            ConstantOfShape@9 Equal EyeLike@9 Greater GreaterOrEqual@12 Hardmax IsInf@10 IsNaN@9 Less LessOrEqual@12
            MatMulInteger@10 NonMaxSuppression@10 NonZero@9 Not OneHot@9 Or QLinearConv@10 QLinearMatMul@10 QuantizeLinear@10
            DynamicQuantizeLinear@11 Range@11 Shape Size Xor Ceil Floor Round@11 Sign@9 Unique@11
            """;

    /** Left in float: ONNX Runtime runs them one node at a time, and gradients stop there. */
    private static final String RUNTIME =
            """
            Acosh@9 AffineGrid@20 Asinh@9 Atanh@9 Attention@23 BlackmanWindow@17 CenterCropPad@18 Col2Im@18 Compress@9 DFT@17
            DeformConv@19 DequantizeLinear@10 Det@11 GRU GlobalLpPool GridSample@16 HammingWindow@17 HannWindow@17 If LSTM Loop
            LpNormalization LpPool MaxRoiPool MaxUnpool@9 MeanVarianceNormalization@9 MelWeightMatrix@17 Mod@10
            NegativeLogLikelihoodLoss@12 RNN ReverseSequence@10 RoiAlign@10 RotaryEmbedding@23 STFT@17 Scan@8
            SoftmaxCrossEntropyLoss@12 TfIdfVectorizer@9 TopK
            """;
    /** Replaced when a graph is brought to opset 13. */
    private static final String UPGRADED = "Scatter@9-10 Upsample@7-9";

    private static final Map<String, OperatorSupport> TABLE = table();

    /** Operators by ONNX name that are run. */
    public static final Set<String> NAMES = TABLE.keySet();

    private SupportedOperators() {}

    /** What is done with an operator of ONNX's own domain; null for one that is refused. */
    public static OperatorSupport of(String opType) {
        return TABLE.get(opType);
    }

    private static Map<String, OperatorSupport> table() {
        Map<String, OperatorSupport> table = new TreeMap<>();
        add(table, OperatorSupport.Way.DIFFERENTIABLE, DIFFERENTIABLE);
        add(table, OperatorSupport.Way.WITHOUT_GRADIENT, WITHOUT_GRADIENT);
        add(table, OperatorSupport.Way.RUNTIME, RUNTIME);
        add(table, OperatorSupport.Way.UPGRADED, UPGRADED);
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
            case "BatchNormalization" -> batchNormProblem(node);
            case "Resize" -> resizeProblem(node);
            default -> null;
        };
    }

    /** ONNX Runtime 1.23 ends the process when it loads a Resize with a negative axis. */
    private static String resizeProblem(Node node) {
        long[] axes = node.integers("axes", new long[0]);
        return Arrays.stream(axes).anyMatch(axis -> axis < 0)
                ? "negative axes " + Arrays.toString(axes) + " (count them from the front)"
                : null;
    }

    private static String batchNormProblem(Node node) {
        if (node.integer("training_mode", 0) != 0) {
            return "training_mode 1 (export the model for inference)";
        }
        return node.integer("spatial", 1) == 0 ? "spatial 0 (only 1)" : null;
    }
}
