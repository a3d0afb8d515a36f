package dev.gptq.graph.pass;

import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class ResidualCollapsingTest {
    private static final PreparationConfig ON =
            Preparing.nothing().optResidualCollapsing(true).build();
    private static final Object[] SAME = {"pads", new long[] {1, 1, 1, 1}};

    @ParameterizedTest
    @ValueSource(strings = {"c x", "x c"})
    void aConvolutionPlusItsInputIsOneConvolution(String operands) {
        Graph prepared = Preparing.sameFunction(residual(4, operands, SAME), ON);

        assertThat(Preparing.types(prepared)).containsExactly("Conv");
        assertThat(ComparePoints.of(prepared)).containsExactly(new ComparePoint("c", "out", "w", "wb", 0));
    }

    @Test
    void theCentreOfADilatedOrAutomaticallyPaddedKernelIsFound() {
        assertThat(collapsed(residual(4, "c x", "dilations", new long[] {2, 2}, "pads", new long[] {2, 2, 2, 2})))
                .isTrue();
        assertThat(collapsed(residual(4, "c x", "auto_pad", "SAME_UPPER"))).isTrue();
    }

    @Test
    void aKernelWithDifferentSidesIsCentredPerSide() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 4, 6, 6)
                .weight("w", 4, 4, 1, 5)
                .node("Conv", "x w", "c", "pads", new long[] {0, 2, 0, 2})
                .node("Add", "c x", "out")
                .build();

        assertThat(collapsed(graph)).isTrue();
    }

    @Test
    void whatFollowsTheSumStays() {
        Graph graph = builder(4, 4, 3)
                .weight("w2", 2, 4, 1, 1)
                .node("Relu", "x", "r")
                .node("Conv", "r w wb", "c", SAME)
                .node("Add", "r c", "s")
                .node("Relu", "s", "t")
                .node("Conv", "t w2", "out")
                .build();

        assertThat(Preparing.types(Preparing.sameFunction(graph, ON))).containsExactly("Relu", "Conv", "Relu", "Conv");
    }

    @Test
    void broadcastingSumsStay() {
        // One output channel is added to four; an unpadded result of one pixel to 3 x 3.
        Graph channels = builder(1, 4, 3)
                .node("Conv", "x w", "c", SAME)
                .node("Add", "c x", "out")
                .build();
        Graph pixels = new GraphBuilder(13)
                .input("x", -1, 4, 3, 3)
                .weight("w", 4, 4, 3, 3)
                .node("Conv", "x w", "c")
                .node("Add", "c x", "out")
                .build();

        assertThat(collapsed(channels)).isFalse();
        assertThat(collapsed(pixels)).isFalse();
    }

    @Test
    void paddingThatIsNotSymmetricStays() {
        assertThat(collapsed(residual(4, "c x", "pads", new long[] {2, 1, 0, 1})))
                .isFalse();
    }

    @Test
    void evenKernelsAndGroupsStay() {
        Graph even = builder(4, 4, 2)
                .node("Conv", "x w", "c", "pads", new long[] {0, 0, 1, 1})
                .node("Add", "c x", "out")
                .build();

        assertThat(collapsed(even)).isFalse();
        assertThat(collapsed(residual(2, "c x", "group", 2, "pads", new long[] {1, 1, 1, 1})))
                .isFalse();
    }

    @Test
    void stridesStay() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 4, 1, 1)
                .weight("w", 4, 4, 3, 3)
                .node("Conv", "x w", "c", "strides", new long[] {2, 2}, "pads", new long[] {1, 1, 1, 1})
                .node("Add", "c x", "out")
                .build();

        assertThat(collapsed(graph)).isFalse();
    }

    @Test
    void anotherReaderAnOutputAndAnotherSummandStay() {
        GraphBuilder output = convolution().node("Add", "c x", "out");

        keeps(convolution().node("Add", "c x", "s").node("Add", "c s", "out"), 3);
        keeps(output.output("c", ElementType.FLOAT32).output("out", ElementType.FLOAT32), 2);
        keeps(convolution().node("Relu", "x", "r").node("Add", "c r", "out"), 3);
        keeps(convolution().node("Sub", "c x", "out"), 2);
    }

    @Test
    void withoutTheSwitchTheSumStays() {
        assertThat(Preparing.sameFunction(
                                residual(4, "c x", SAME), Preparing.nothing().build())
                        .nodes())
                .hasSize(2);
    }

    /** The convolution nearly undoes its input, so its own output is far larger than the sum. */
    @ParameterizedTest
    @ValueSource(ints = {8, 4, 3, 2})
    void collapsingLowersTheErrorOfQuantization(int bits) {
        assertThat(errorRatio(-1, 0.02f, bits)).isLessThan(bits == 2 ? 0.2 : 0.1);
    }

    /**
     * Where the convolution adds little to its input, the one on the diagonal leaves few levels for the rest of the kernel:
     * at 8 bits this hardly counts beside the activations, at few bits it does. In MCT, too.
     */
    @ParameterizedTest
    @CsvSource({"8, 1, 2", "4, 10, 50", "3, 10, 50"})
    void collapsingAKernelMuchSmallerThanOneCostsAtFewBits(int bits, double least, double most) {
        assertThat(errorRatio(0, 0.1f, bits)).isBetween(least, most);
    }

    private static double errorRatio(float diagonal, float deviation, int bits) {
        float[] kernel = Models.random(8, 4, 4, 3, 3).floats();
        for (int i = 0; i < kernel.length; i++) {
            kernel[i] *= deviation;
        }
        for (int channel = 0; channel < 4; channel++) {
            kernel[(channel * 4 + channel) * 9 + 4] += diagonal;
        }
        Graph graph = builder(4, 4, 3)
                .constant("w", TensorData.ofFloats(kernel, 4, 4, 3, 3))
                .node("Conv", "x w", "c", SAME)
                .node("Add", "c x", "out")
                .build();
        QuantizationConfig config = QuantizationConfig.defaults()
                .withWeights(new QuantizationConfig.Weights(
                        bits, QuantizationMethod.SYMMETRIC, true, ThresholdMethod.MSE, 2));
        return Preparing.errorRatio(graph, config, ON);
    }

    private static void keeps(GraphBuilder graph, int nodes) {
        assertThat(Preparing.sameFunction(graph.build(), ON).nodes()).hasSize(nodes);
    }

    private static GraphBuilder convolution() {
        return builder(4, 4, 3).node("Conv", "x w", "c", SAME);
    }

    private static boolean collapsed(Graph graph) {
        return Preparing.sameFunction(graph, ON).nodes().size() == 1;
    }

    private static Graph residual(int inputsPerGroup, String operands, Object... attributes) {
        return builder(4, inputsPerGroup, 3)
                .node("Conv", "x w wb", "c", attributes)
                .node("Add", operands, "out")
                .build();
    }

    private static GraphBuilder builder(int outputs, int inputsPerGroup, int side) {
        return new GraphBuilder(13)
                .input("x", -1, 4, 6, 6)
                .weight("w", outputs, inputsPerGroup, side, side)
                .weight("wb", outputs);
    }
}
