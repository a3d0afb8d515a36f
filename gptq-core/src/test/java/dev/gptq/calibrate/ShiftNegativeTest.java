package dev.gptq.calibrate;

import dev.gptq.config.LayerOverride;
import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static dev.gptq.testing.Closeness.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

/** What is shifted, by how much, and that neither function nor exported model notice. */
class ShiftNegativeTest {
    static final QuantizationConfig EIGHT_BITS = Corrected.activations(8);
    private static final double HARD_SWISH_MINIMUM = 0.375;
    static final TensorData SAMPLES = Corrected.samples(1, 16, 2, 8, 8);

    /** A convolution whose outputs reach about 12, and its activation "act". */
    static GraphBuilder activated() {
        return beforeActivation().node("HardSwish", "conv1", "act");
    }

    static GraphBuilder beforeActivation() {
        return new GraphBuilder(14)
                .input("x", -1, 2, 8, 8)
                .constant("w1", Corrected.samples(0.7f, 4, 2, 3, 3))
                .weight("b1", 4)
                .node("Conv", "x w1 b1", "conv1", "pads", new long[] {1, 1, 1, 1});
    }

    static Graph paddedConvolution() {
        return activated()
                .weight("w2", 3, 4, 3, 3)
                .weight("b2", 3)
                .node("Conv", "act w2 b2", "out", "pads", new long[] {1, 1, 1, 1})
                .build();
    }

    /** A 1x1 convolution of {@code tensor} at the end. */
    private static Graph pointwise(GraphBuilder builder, String tensor) {
        return builder.weight("w2", 3, 4, 1, 1)
                .weight("b2", 3)
                .node("Conv", tensor + " w2 b2", "out")
                .build();
    }

    private static Graph silu(String gate) {
        return pointwise(beforeActivation().node(gate, "conv1", "gate").node("Mul", "conv1 gate", "act"), "act");
    }

    static Stream<Named<Graph>> shiftedModels() {
        return Stream.of(
                Named.of("padded convolution", paddedConvolution()),
                Named.of(
                        "padding of one side, strides",
                        activated()
                                .weight("w2", 3, 4, 3, 3)
                                .weight("b2", 3)
                                .node(
                                        "Conv",
                                        "act w2 b2",
                                        "out",
                                        "pads",
                                        new long[] {0, 1, 2, 0},
                                        "strides",
                                        new long[] {2, 2})
                                .build()),
                Named.of(
                        "depthwise convolution",
                        activated()
                                .weight("w2", 4, 1, 3, 3)
                                .weight("b2", 4)
                                .node("Conv", "act w2 b2", "out", "pads", new long[] {1, 1, 1, 1}, "group", 4)
                                .build()),
                Named.of(
                        "Pad and convolution",
                        activated()
                                .longs("pads", 0, 0, 1, 2, 0, 0, 0, 1)
                                .node("Pad", "act pads", "padded")
                                .weight("w2", 3, 4, 3, 3)
                                .weight("b2", 3)
                                .node("Conv", "padded w2 b2", "out")
                                .build()),
                Named.of(
                        "average and convolution",
                        activated()
                                .node(
                                        "AveragePool",
                                        "act",
                                        "pool",
                                        "kernel_shape",
                                        new long[] {2, 2},
                                        "strides",
                                        new long[] {2, 2})
                                .weight("w2", 3, 4, 3, 3)
                                .weight("b2", 3)
                                .node("Conv", "pool w2 b2", "out", "pads", new long[] {1, 1, 1, 1})
                                .build()),
                Named.of(
                        "average that does not count its padding",
                        pointwise(
                                activated()
                                        .node(
                                                "AveragePool",
                                                "act",
                                                "pool",
                                                "kernel_shape",
                                                new long[] {3, 3},
                                                "pads",
                                                new long[] {1, 1, 1, 1}),
                                "pool")),
                Named.of(
                        "global average and Gemm",
                        activated()
                                .node("GlobalAveragePool", "act", "pool")
                                .node("Flatten", "pool", "flat")
                                .weight("w2", 3, 4)
                                .weight("b2", 3)
                                .node("Gemm", "flat w2 b2", "out", "transB", 1)
                                .build()),
                Named.of(
                        "Reshape and MatMul",
                        activated()
                                .longs("shape", 0, -1)
                                .node("Reshape", "act shape", "flat")
                                .weight("w2", 256, 3)
                                .weight("b2", 3)
                                .node("MatMul", "flat w2", "product")
                                .node("Add", "product b2", "out")
                                .build()),
                Named.of("SiLU in two operators", silu("Sigmoid")),
                Named.of("hard swish in two operators", silu("HardSigmoid")));
    }

    @ParameterizedTest
    @MethodSource("shiftedModels")
    void theFloatFunctionStays(Graph model) {
        Corrected corrected = Corrected.of(model, SAMPLES, EIGHT_BITS);

        assertThat(corrected.plan().corrections()).hasSize(1);
        assertThat(ComparePoints.of(corrected.graph())).isEqualTo(ComparePoints.of(corrected.prepared()));
        TensorData expected = corrected.floatOutput();
        assertClose(corrected.correctedOutput(), expected, 1e-5);
        assertClose(Models.run(corrected.graph(), Map.of("x", SAMPLES)).get("out"), expected, 1e-5);
    }

    @ParameterizedTest
    @MethodSource("shiftedModels")
    void theExportedModelAgreesWithTheStudent(Graph model) {
        Corrected corrected = Corrected.of(model, SAMPLES, EIGHT_BITS);
        double step = corrected.quantizer("out").grid().scale()[0];

        float[] student = corrected.studentOutput().floats();
        float[] exported = corrected.exportedOutput().floats();

        int equal = 0;
        for (int i = 0; i < student.length; i++) {
            assertThat((double) exported[i]).isCloseTo(student[i], offset(1.001 * step));
            equal += exported[i] == student[i] ? 1 : 0;
        }
        assertThat((double) equal / student.length).isGreaterThan(0.99);
    }

    @ParameterizedTest
    @EnumSource(names = {"POWER_OF_TWO", "SYMMETRIC"})
    void theShiftIsTheSmallestPointOfTheUnsignedGridThatCoversTheMinimum(QuantizationMethod method) {
        Corrected corrected = Corrected.of(paddedConvolution(), SAMPLES, Corrected.activations(8, method, null));
        ActivationQuantizer before = corrected.quantizerBefore("act");
        ActivationQuantizer after = corrected.quantizer("act_shifted");
        float shift = corrected.plan().corrections().get(0).shift();
        double step = before.threshold() / 256;

        assertThat(before.signed()).isTrue();
        assertThat(after).isEqualTo(new ActivationQuantizer("act_shifted", method, 8, false, before.threshold(), 0, 0));
        assertThat(corrected.quantizer("act")).isNull();
        double minimum =
                corrected.statistics().activations().get("act").histogram().min();
        assertThat(minimum).isCloseTo(-HARD_SWISH_MINIMUM, offset(1e-3));
        assertThat(shift / step).isCloseTo(Math.rint(shift / step), offset(1e-4));
        assertThat(shift + minimum).isNotNegative().isLessThan(step);
    }

    @Test
    void thePlaceOfTheQuantizerInThePlanStays() {
        Corrected corrected = Corrected.of(paddedConvolution(), SAMPLES, EIGHT_BITS);

        assertThat(corrected.before().activations())
                .extracting(ActivationQuantizer::tensor)
                .containsExactly("x", "act", "out");
        assertThat(corrected.plan().activations())
                .extracting(ActivationQuantizer::tensor)
                .containsExactly("x", "act_shifted", "out");
    }

    @Test
    void aLayerThatStaysInFloatTakesTheShiftOutToo() {
        LayerOverride skipped = new LayerOverride("out", null, null, true);
        Corrected corrected = Corrected.of(paddedConvolution(), SAMPLES, EIGHT_BITS.withLayers(List.of(skipped)));

        assertThat(corrected.plan().weights()).hasSize(1);
        assertThat(corrected.plan().corrections()).hasSize(1);
        assertClose(corrected.correctedOutput(), corrected.floatOutput(), 1e-5);
    }

    @Test
    void zerosOfThePaddingBecomeTheShift() {
        Corrected corrected = Corrected.of(paddedConvolution(), SAMPLES, EIGHT_BITS);
        Graph graph = corrected.graph();

        Node layer = graph.producers().get("out");
        Node pad = graph.producers().get(layer.input(0));
        assertThat(layer.attributes()).doesNotContainKey("pads");
        assertThat(pad.opType()).isEqualTo("Pad");
        assertThat(graph.constants().get(pad.input(1)).longs()).containsExactly(0, 0, 1, 1, 0, 0, 1, 1);
        assertThat(graph.constants().get(pad.input(2)).floats())
                .containsExactly(corrected.plan().corrections().get(0).shift());
    }

    @Test
    void averagesOnTheWayGetAnUnsignedGridThatHoldsTheShiftedValues() {
        Graph model = shiftedModels()
                .filter(named -> named.getName().equals("global average and Gemm"))
                .findFirst()
                .orElseThrow()
                .getPayload();
        Corrected corrected = Corrected.of(model, SAMPLES, EIGHT_BITS);

        ActivationQuantizer pool = corrected.quantizer("pool");
        double largest =
                corrected.statistics().activations().get("pool").histogram().max()
                        + corrected.plan().corrections().get(0).shift();
        assertThat(pool.signed()).isFalse();
        assertThat(pool.threshold()).isGreaterThan(largest * 0.9);
    }

    @Test
    void biasCorrectionCountsTheShift() {
        Corrected corrected = Corrected.of(paddedConvolution(), SAMPLES, EIGHT_BITS);
        WeightQuantizer before = corrected.before().weights().get(1);
        WeightQuantizer after = corrected.plan().weights().get(1);
        TensorData kernel = corrected.prepared().constants().get("w2");
        QuantizationGrid grid = before.grid();
        float[] rounded = grid.dequantize(grid.quantize(kernel.floats(), kernel.shape()), kernel.shape());

        int elements = kernel.size() / 3;
        for (int channel = 0; channel < 3; channel++) {
            double error = 0;
            for (int i = channel * elements; i < (channel + 1) * elements; i++) {
                error += rounded[i] - (double) kernel.floats()[i];
            }
            double expected = error * corrected.plan().corrections().get(0).shift();
            assertThat(after.biasCorrection()[channel] - before.biasCorrection()[channel])
                    .isCloseTo(expected, offset(1e-9));
        }
        assertThat(corrected.plan().weights().get(0))
                .isSameAs(corrected.before().weights().get(0));
    }

    @Test
    void anActivationWithFewNegativeValuesLosesLessPrecision() {
        Corrected corrected = Corrected.of(paddedConvolution(), SAMPLES, withRatio(Corrected.activations(4), 0.1));
        TensorData expected = corrected.floatOutput();

        assertThat(corrected.plan().corrections()).hasSize(1);
        Corrected fineOutput = corrected.withUnquantized("x").withUnquantized("out");
        double without = Corrected.squaredError(fineOutput.studentOutputWithoutCorrection(), expected);
        assertThat(Corrected.squaredError(fineOutput.studentOutput(), expected)).isLessThan(0.75 * without);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 6, 8})
    void theSearchTakesTheShiftAndThresholdOfLeastError(int bits) {
        int levels = 1 << bits;
        QuantizationConfig config = Corrected.activations(bits)
                .withPreparation(PreparationConfig.builder()
                        .optShiftNegativeRatio(0.1)
                        .optShiftNegativeParamsSearch(true)
                        .build());
        Corrected corrected = Corrected.of(paddedConvolution(), SAMPLES, config);
        double threshold = corrected.quantizerBefore("act").threshold();
        List<GraphCorrection> corrections = corrected.plan().corrections();
        ActivationQuantizer after = corrected.quantizer(corrections.isEmpty() ? "act" : "act_shifted");
        HistogramView.Points points = corrected
                .statistics()
                .activations()
                .get("act")
                .histogram()
                .view()
                .leftEdges();

        double least = Double.POSITIVE_INFINITY;
        for (double candidate : new double[] {threshold, 2 * threshold}) {
            for (int point = 0; point < levels; point++) {
                least = Math.min(least, error(points, candidate, levels, candidate / levels * point));
            }
        }
        double shift = corrections.isEmpty() ? 0 : corrections.get(0).shift();
        double chosen = error(points, after.threshold(), levels, shift);
        assertThat(after.signed()).isFalse();
        assertThat(chosen).isCloseTo(least, offset(1e-6 * least));
    }

    /** Squared error of an unsigned grid on the points plus a shift. */
    private static double error(HistogramView.Points points, double threshold, int levels, double shift) {
        double step = threshold / levels;
        double sum = 0;
        for (int i = 0; i < points.values().length; i++) {
            double value = points.values()[i] + shift;
            double quantized = step * Math.max(0, Math.min(levels - 1, Math.rint(value / step)));
            sum += points.counts()[i] * (quantized - value) * (quantized - value);
        }
        return sum / Arrays.stream(points.counts()).sum();
    }

    static QuantizationConfig withRatio(QuantizationConfig config, double ratio) {
        return config.withPreparation(
                PreparationConfig.builder().optShiftNegativeRatio(ratio).build());
    }
}
