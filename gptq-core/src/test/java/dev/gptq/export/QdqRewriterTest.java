package dev.gptq.export;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Input, convolution, limit (Relu or Clip), pooling, flattening, linear layer. */
class QdqRewriterTest {
    private static final ComparePoint CONV = new ComparePoint("conv", "c", "w", "b", 0);
    private static final ComparePoint LINEAR = new ComparePoint("fc", "logits", "v", "d", 0);

    @Test
    void inputsAndOutputsKeepTheirNames() {
        Graph quantized = export(relu(), unsigned("x"), unsigned("r"), unsigned("logits"));

        assertThat(quantized.inputs()).extracting(ValueInfo::name).containsExactly("x");
        assertThat(quantized.outputs()).extracting(ValueInfo::name).containsExactly("logits");
        Node last = quantized.producers().get("logits");
        assertThat(last.opType()).isEqualTo("DequantizeLinear");
        assertThat(behind(quantized, last, 2).opType()).isEqualTo("Gemm");
    }

    @Test
    void consumersReadDequantizedTensors() {
        Graph quantized = export(relu(), unsigned("x"), unsigned("r"), unsigned("logits"));

        Node conv = node(quantized, "conv");
        for (int i = 0; i < 3; i++) {
            assertThat(producer(quantized, conv.input(i)).opType()).isEqualTo("DequantizeLinear");
        }
        assertThat(type(quantized, producer(quantized, conv.input(1)).input(0))).isEqualTo(ElementType.INT8);
        assertThat(type(quantized, producer(quantized, conv.input(2)).input(0))).isEqualTo(ElementType.INT32);
        assertThat(producer(quantized, conv.input(1)).integer("axis", -1)).isZero();
        assertThat(quantized.constants()).doesNotContainKeys("w", "b", "v", "d");
    }

    @Test
    void theBiasScaleIsInputScaleTimesKernelScale() {
        Graph quantized = export(relu(), unsigned("x"), unsigned("r"));

        Node bias = producer(quantized, node(quantized, "conv").input(2));

        float inputStep = 1f / 256;
        assertThat(quantized.constants().get(bias.input(1)).floats())
                .containsExactly(inputStep * 0.5f, inputStep * 0.25f);
        assertThat(quantized.constants().get(bias.input(0)).longs())
                .containsExactly(Math.round(0.3 / (inputStep * 0.5)), Math.round(-0.7 / (inputStep * 0.25)));
    }

    @Test
    void aBiasBeyondInt32StaysFloat() {
        Graph graph = relu();
        ActivationQuantizer tiny = new ActivationQuantizer(
                "x", QuantizationMethod.SYMMETRIC, 8, false, QuantizationGrid.MIN_THRESHOLD, 0, 0);
        QuantizedLayer layer = new QuantizedLayer(
                CONV, new QuantizationGrid(-1, new float[] {1e-6f}, new int[1], -8, 7), new int[2], new float[] {1, -1
                });

        Graph quantized = QdqExporter.quantize(
                graph, new QuantizationPlan(List.of(), List.of(tiny)), List.of(layer), graph.opset());

        assertThat(quantized.constants().get(node(quantized, "conv").input(2)).floats())
                .containsExactly(1, -1);
    }

    @Test
    void aBiasBehindAFloatInputStaysFloat() {
        Graph quantized = export(relu(), unsigned("r"));

        assertThat(quantized.constants().get(node(quantized, "conv").input(2)).floats())
                .containsExactly(0.3f, -0.7f);
    }

    @Test
    void operatorsThatMoveValuesGetASecondPairWithTheSameGrid() {
        Graph quantized = export(relu(), unsigned("x"), unsigned("r"), unsigned("logits"));

        Node activation = producer(quantized, node(quantized, "pool").input(0));
        Node pooled = producer(quantized, node(quantized, "flatten").input(0));
        Node flat = producer(quantized, node(quantized, "fc").input(0));
        assertThat(List.of(activation, pooled, flat)).allMatch(dq -> dq.is("DequantizeLinear"));
        assertThat(pooled.inputs().subList(1, 3)).isEqualTo(activation.inputs().subList(1, 3));
        assertThat(flat.inputs().subList(1, 3)).isEqualTo(activation.inputs().subList(1, 3));
        assertThat(behind(quantized, pooled, 2).name()).isEqualTo("pool");
    }

    @Test
    void aReluThatTheGridItselfDoesIsLeftForTheRuntimeToDrop() {
        Graph quantized = export(relu(), unsigned("x"), unsigned("r"));

        assertThat(producer(quantized, node(quantized, "limit").input(0)).name())
                .isEqualTo("conv");
    }

    @Test
    void aReluBeforeASignedGridGetsAPairOnBothSides() {
        Graph quantized = export(relu(), unsigned("x"), signed("r"));

        Node before = producer(quantized, node(quantized, "limit").input(0));
        assertThat(before.opType()).isEqualTo("DequantizeLinear");
        assertThat(behind(quantized, before, 2).name()).isEqualTo("conv");
    }

    @Test
    void activationsAreInt8WhenAllGridsAreSigned() {
        Graph quantized = export(relu(), signed("x"), signed("r"));

        String zeroPoint = producer(quantized, node(quantized, "conv").input(0)).input(2);
        assertThat(type(quantized, zeroPoint)).isEqualTo(ElementType.INT8);
        assertThat(quantized.constants().get(zeroPoint).longs()).containsExactly(0);
    }

    @Test
    void signedGridsAreShiftedToUint8BesideUnsignedOnes() {
        Graph quantized = export(relu(), signed("x"), unsigned("r"));

        String zeroPoint = producer(quantized, node(quantized, "conv").input(0)).input(2);
        assertThat(type(quantized, zeroPoint)).isEqualTo(ElementType.UINT8);
        assertThat(quantized.constants().get(zeroPoint).longs()).containsExactly(128);
    }

    @Test
    void aClipInsideTheGridGetsAPairOnBothSidesAndOneAroundItDoesNot() {
        Graph inside = export(clip(0, 0.5f), unsigned("x"), unsigned("r"));
        Graph around = export(clip(0, 1), unsigned("x"), unsigned("r"));

        assertThat(producer(inside, node(inside, "limit").input(0)).opType()).isEqualTo("DequantizeLinear");
        assertThat(producer(around, node(around, "limit").input(0)).name()).isEqualTo("conv");
    }

    @Test
    void theIntegersOfAGridOfFewerThanEightBitsAreClippedInsideThePair() {
        ActivationQuantizer four = new ActivationQuantizer("x", QuantizationMethod.SYMMETRIC, 4, true, 1, 0, 0);

        Graph quantized = export(relu(), four);

        Node dequantize = producer(quantized, node(quantized, "conv").input(0));
        Node clip = behind(quantized, dequantize, 1);
        assertThat(clip.opType()).isEqualTo("Clip");
        assertThat(quantized.constants().get(clip.input(1)).longs()).containsExactly(-8);
        assertThat(quantized.constants().get(clip.input(2)).longs()).containsExactly(7);
        assertThat(behind(quantized, clip, 1).opType()).isEqualTo("QuantizeLinear");
    }

    @Test
    void sixteenBitsAreShortsOfOnnxRuntimesDomainUntilOnnxHasThem() {
        ActivationQuantizer wide = new ActivationQuantizer("x", QuantizationMethod.SYMMETRIC, 16, true, 1, 0, 0);

        for (int opset : List.of(13, 20, 21)) {
            Graph alone = export(relu(), opset, wide);
            Graph mixed = export(relu(), opset, wide, unsigned("r"));

            String operator = opset < 21 ? "com.microsoft.DequantizeLinear" : "DequantizeLinear";
            Node signed = producer(alone, node(alone, "conv").input(0));
            Node shifted = producer(mixed, node(mixed, "conv").input(0));
            assertThat(signed.opType()).isEqualTo(operator);
            assertThat(type(alone, signed.input(2))).isEqualTo(ElementType.INT16);
            assertThat(type(mixed, shifted.input(2))).isEqualTo(ElementType.UINT16);
            assertThat(mixed.constants().get(shifted.input(2)).longs()).containsExactly(1 << 15);
        }
    }

    @Test
    void activationsOfMoreThanSixteenBitsAreRefused() {
        ActivationQuantizer wide = new ActivationQuantizer("x", QuantizationMethod.SYMMETRIC, 17, true, 1, 0, 0);

        assertThatThrownBy(() -> export(relu(), wide))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNSUPPORTED_MODEL))
                .hasMessageContaining("'x' of 17 bits");
    }

    @Test
    void opsetsBelowThirteenAreRefused() {
        assertThatThrownBy(() -> QdqExporter.export(relu(), new QuantizationPlan(List.of(), List.of()), List.of(), 12))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT))
                .hasMessageContaining("opset 12");
    }

    @Test
    void aLowerOpsetIsRaisedAndAHigherOneIsKept() {
        QuantizationPlan nothing = new QuantizationPlan(List.of(), List.of());

        assertThat(QdqExporter.quantize(relu(), nothing, List.of(), 17).opset()).isEqualTo(17);
        Graph raised = OpsetRaising.raise(relu(), 20);
        assertThat(QdqExporter.quantize(raised, nothing, List.of(), 13).opset()).isEqualTo(20);
    }

    private static Graph export(Graph graph, ActivationQuantizer... activations) {
        return export(graph, 13, activations);
    }

    private static Graph export(Graph graph, int opset, ActivationQuantizer... activations) {
        QuantizationGrid kernel = new QuantizationGrid(0, new float[] {0.5f, 0.25f}, new int[2], -8, 7);
        List<QuantizedLayer> layers = List.of(
                new QuantizedLayer(CONV, kernel, new int[] {3, -8}, new float[] {0.3f, -0.7f}),
                new QuantizedLayer(LINEAR, kernel, new int[] {1, 2, 3, 4, 5, 6, 7, -8}, new float[] {0.1f, 0.2f}));
        return QdqExporter.quantize(graph, new QuantizationPlan(List.of(), List.of(activations)), layers, opset);
    }

    private static ActivationQuantizer unsigned(String tensor) {
        return new ActivationQuantizer(tensor, QuantizationMethod.POWER_OF_TWO, 8, false, 1, 0, 0);
    }

    private static ActivationQuantizer signed(String tensor) {
        return new ActivationQuantizer(tensor, QuantizationMethod.POWER_OF_TWO, 8, true, 1, 0, 0);
    }

    private static Graph relu() {
        return graph(new Node("limit", "Relu", List.of("c"), List.of("r"), Map.of()));
    }

    private static Graph clip(float low, float high) {
        Graph graph = graph(new Node("limit", "Clip", List.of("c", "low", "high"), List.of("r"), Map.of()));
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        constants.put("low", TensorData.ofFloats(new float[] {low}));
        constants.put("high", TensorData.ofFloats(new float[] {high}));
        return graph.withConstants(constants);
    }

    private static Graph graph(Node limit) {
        Map<String, TensorData> constants = new LinkedHashMap<>();
        constants.put("w", TensorData.ofFloats(new float[2], 2, 1, 1, 1));
        constants.put("b", TensorData.ofFloats(new float[2], 2));
        constants.put("v", TensorData.ofFloats(new float[8], 2, 4));
        constants.put("d", TensorData.ofFloats(new float[2], 2));
        List<Node> nodes = List.of(
                new Node("conv", "Conv", List.of("x", "w", "b"), List.of("c"), Map.of()),
                limit,
                new Node("pool", "MaxPool", List.of("r"), List.of("p"), Map.of("kernel_shape", new long[] {2, 2})),
                new Node("flatten", "Flatten", List.of("p"), List.of("f"), Map.of()),
                new Node("fc", "Gemm", List.of("f", "v", "d"), List.of("logits"), Map.of("transB", 1L)));
        return new Graph(
                "test",
                13,
                List.of(new ValueInfo("x", ElementType.FLOAT32, new long[] {-1, 1, 2, 4})),
                List.of(new ValueInfo("logits", ElementType.FLOAT32, new long[] {-1, 2})),
                constants,
                nodes);
    }

    private static Node node(Graph graph, String name) {
        return graph.nodes().stream()
                .filter(node -> node.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static Node producer(Graph graph, String tensor) {
        return graph.producers().get(tensor);
    }

    /** The node that is {@code steps} first inputs upstream. */
    private static Node behind(Graph graph, Node node, int steps) {
        return steps == 0 ? node : behind(graph, producer(graph, node.input(0)), steps - 1);
    }

    private static ElementType type(Graph graph, String constant) {
        return graph.constants().get(constant).type();
    }
}
