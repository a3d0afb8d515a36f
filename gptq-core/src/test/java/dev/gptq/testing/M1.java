package dev.gptq.testing;

import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The small CNN of the oracle's runs, built from MCT's own folded weights, with the quantizers MCT chose: 4-bit symmetric
 * kernels per channel, 8-bit power-of-two activations.
 */
public final class M1 {
    /** Layers in compare-point order, by MCT's names; a layer's output tensor has its name. */
    public static final List<String> LAYERS = List.of("conv1_bn", "conv2_bn", "conv3_bn", "conv4_bn", "fc");

    private static final Npz INFO = Npz.resource("/oracle/m1_info.npz");
    private static final int WEIGHT_BITS = 4;
    private static final int ACTIVATION_BITS = 8;

    private M1() {}

    public static Graph graph() {
        Map<String, TensorData> constants = new LinkedHashMap<>();
        for (String layer : LAYERS) {
            constants.put(layer + ".w", TensorData.ofFloats(INFO.floats(layer + "|w"), INFO.shape(layer + "|w")));
            constants.put(layer + ".b", TensorData.ofFloats(INFO.floats(layer + "|b"), INFO.shape(layer + "|b")));
        }
        List<Node> nodes = new ArrayList<>();
        String input = "input";
        for (int i = 1; i <= 4; i++) {
            String conv = LAYERS.get(i - 1);
            long stride = i % 2 == 0 ? 2 : 1;
            nodes.add(new Node(
                    conv,
                    "Conv",
                    List.of(input, conv + ".w", conv + ".b"),
                    List.of(conv),
                    Map.of(
                            "kernel_shape", new long[] {3, 3},
                            "pads", new long[] {1, 1, 1, 1},
                            "strides", new long[] {stride, stride},
                            "dilations", new long[] {1, 1},
                            "group", 1L)));
            input = "relu" + i;
            nodes.add(new Node(input, "Relu", List.of(conv), List.of(input), Map.of()));
        }
        nodes.add(new Node("gap", "GlobalAveragePool", List.of(input), List.of("gap"), Map.of()));
        nodes.add(new Node("flatten", "Flatten", List.of("gap"), List.of("flatten"), Map.of("axis", 1L)));
        nodes.add(new Node(
                "fc",
                "Gemm",
                List.of("flatten", "fc.w", "fc.b"),
                List.of("fc"),
                Map.of("alpha", 1f, "beta", 1f, "transB", 1L)));
        return new Graph(
                "m1",
                13,
                List.of(new ValueInfo("input", ElementType.FLOAT32, new long[] {-1, 1, 28, 28})),
                List.of(new ValueInfo("fc", ElementType.FLOAT32, new long[] {-1, 10})),
                constants,
                nodes);
    }

    public static List<ComparePoint> comparePoints() {
        return LAYERS.stream()
                .map(layer -> new ComparePoint(layer, layer, layer + ".w", layer + ".b", 0))
                .toList();
    }

    public static QuantizationPlan plan() {
        List<WeightQuantizer> weights = new ArrayList<>();
        for (ComparePoint point : comparePoints()) {
            weights.add(new WeightQuantizer(
                    point,
                    QuantizationMethod.SYMMETRIC,
                    WEIGHT_BITS,
                    0,
                    INFO.doubles(point.name() + "|mct_threshold_w4sym"),
                    null,
                    null,
                    INFO.doubles(point.name() + "|bias_correction_w4sym")));
        }
        List<ActivationQuantizer> activations = List.of(
                activation("input", true, 2),
                activation("relu1", false, 4),
                activation("relu2", false, 4),
                activation("relu3", false, 4),
                activation("relu4", false, 8),
                activation("gap", false, 2),
                activation("fc", true, 16));
        return new QuantizationPlan(weights, activations);
    }

    private static ActivationQuantizer activation(String tensor, boolean signed, double threshold) {
        return new ActivationQuantizer(
                tensor, QuantizationMethod.POWER_OF_TWO, ACTIVATION_BITS, signed, threshold, 0, 0);
    }
}
