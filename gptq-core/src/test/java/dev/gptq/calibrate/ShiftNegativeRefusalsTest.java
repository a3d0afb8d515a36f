package dev.gptq.calibrate;

import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.testing.GraphBuilder;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static dev.gptq.calibrate.ShiftNegativeTest.EIGHT_BITS;
import static dev.gptq.calibrate.ShiftNegativeTest.SAMPLES;
import static dev.gptq.calibrate.ShiftNegativeTest.activated;
import static dev.gptq.calibrate.ShiftNegativeTest.beforeActivation;
import static dev.gptq.calibrate.ShiftNegativeTest.paddedConvolution;
import static dev.gptq.calibrate.ShiftNegativeTest.withRatio;
import static org.assertj.core.api.Assertions.assertThat;

/** Where the shift must not be taken, nothing changes. */
class ShiftNegativeRefusalsTest {
    static Stream<Named<Graph>> otherModels() {
        GraphBuilder layer = activated().weight("w2", 3, 4, 3, 3).weight("b2", 3);
        return Stream.of(
                Named.of(
                        "activation without negative values",
                        beforeActivation()
                                .node("Relu", "conv1", "act")
                                .weight("w2", 3, 4, 1, 1)
                                .node("Conv", "act w2", "out")
                                .build()),
                Named.of(
                        "two readers",
                        activated()
                                .weight("w2", 4, 4, 1, 1)
                                .node("Conv", "act w2", "conv2")
                                .node("Mul", "act conv2", "out")
                                .build()),
                Named.of(
                        "model output",
                        activated()
                                .weight("w2", 3, 4, 1, 1)
                                .node("Conv", "act w2", "conv2")
                                .output("act", ElementType.FLOAT32)
                                .output("out", ElementType.FLOAT32)
                                .node("Neg", "conv2", "out")
                                .build()),
                Named.of(
                        "no layer behind", activated().node("Neg", "act", "out").build()),
                Named.of(
                        "pooling of maxima",
                        activated()
                                .node("MaxPool", "act", "pool", "kernel_shape", new long[] {2, 2})
                                .weight("w2", 3, 4, 1, 1)
                                .node("Conv", "pool w2", "out")
                                .build()),
                Named.of(
                        "padding that depends on the input",
                        layer.node("Conv", "act w2 b2", "out", "auto_pad", "SAME_UPPER")
                                .build()),
                Named.of(
                        "average that counts its padding",
                        activated()
                                .node(
                                        "AveragePool",
                                        "act",
                                        "pool",
                                        "kernel_shape",
                                        new long[] {3, 3},
                                        "pads",
                                        new long[] {1, 1, 1, 1},
                                        "count_include_pad",
                                        1)
                                .weight("w2", 3, 4, 1, 1)
                                .node("Conv", "pool w2", "out")
                                .build()),
                Named.of(
                        "two paddings",
                        activated()
                                .longs("pads", 0, 0, 1, 2, 0, 0, 0, 1)
                                .node("Pad", "act pads", "padded")
                                .weight("w2", 3, 4, 3, 3)
                                .node("Conv", "padded w2", "out", "pads", new long[] {1, 1, 1, 1})
                                .build()),
                Named.of(
                        "layer without bias",
                        activated()
                                .longs("shape", 0, -1)
                                .node("Reshape", "act shape", "flat")
                                .weight("w2", 256, 3)
                                .node("MatMul", "flat w2", "out")
                                .build()));
    }

    @ParameterizedTest
    @MethodSource("otherModels")
    void whereTheShiftCannotBeTakenOutNothingChanges(Graph model) {
        assertUnchanged(Corrected.of(model, SAMPLES, EIGHT_BITS));
    }

    static Stream<Named<QuantizationConfig>> otherConfigurations() {
        return Stream.of(
                Named.of(
                        "switched off",
                        EIGHT_BITS.withPreparation(PreparationConfig.builder()
                                .optShiftNegativeActivationCorrection(false)
                                .build())),
                Named.of("ratio too low", withRatio(EIGHT_BITS, 0.01)),
                Named.of("uniform grids", Corrected.activations(8, QuantizationMethod.UNIFORM, null)),
                Named.of("signed grids only", Corrected.activations(8, QuantizationMethod.POWER_OF_TWO, true)));
    }

    @ParameterizedTest
    @MethodSource("otherConfigurations")
    void whereTheConfigurationForbidsItNothingChanges(QuantizationConfig config) {
        assertUnchanged(Corrected.of(paddedConvolution(), SAMPLES, config));
    }

    private static void assertUnchanged(Corrected corrected) {
        assertThat(corrected.graph()).isSameAs(corrected.prepared());
        assertThat(corrected.plan()).isEqualTo(corrected.before());
    }
}
