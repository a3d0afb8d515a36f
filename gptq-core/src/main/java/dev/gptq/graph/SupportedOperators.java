package dev.gptq.graph;

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
            Acos Acosh@9 AffineGrid@20 Asin Asinh@9 Atan Atanh@9 Attention@23 BlackmanWindow@17 CastLike@15 Celu@12
            CenterCropPad@18 Col2Im@18 Compress@9 Cos Cosh@9 CumSum@11 DFT@17 DeformConv@19 DepthToSpace DequantizeLinear@10
            Det@11 Einsum@12 Elu Expand@8 GRU GatherElements@11 GatherND@11 Gelu@20 GlobalLpPool GridSample@16
            GroupNormalization@18 HammingWindow@17 HannWindow@17 If InstanceNormalization LRN LSTM LayerNormalization@17 Loop
            LpNormalization LpPool MaxRoiPool MaxUnpool@9 Mean MeanVarianceNormalization@9 MelWeightMatrix@17 Mish@18 Mod@10
            NegativeLogLikelihoodLoss@12 PRelu RMSNormalization@23 RNN Reciprocal ReduceL1 ReduceL2 ReduceLogSum
            ReduceLogSumExp ReduceMax ReduceMin ReduceProd ReduceSumSquare Resize@10 ReverseSequence@10 RoiAlign@10
            RotaryEmbedding@23 STFT@17 Scan@8 ScatterElements@11 ScatterND@11 Selu Shrink@9 Sin Sinh@9
            SoftmaxCrossEntropyLoss@12 Softplus Softsign SpaceToDepth Split Sum Tan TfIdfVectorizer@9 ThresholdedRelu@10 Tile
            TopK Trilu@14 Where@9
            """;

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
        if (!node.is("BatchNormalization")) {
            return null;
        }
        if (node.integer("training_mode", 0) != 0) {
            return "training_mode 1 (export the model for inference)";
        }
        return node.integer("spatial", 1) == 0 ? "spatial 0 (only 1)" : null;
    }
}
