package dev.gptq.graph.pass;

import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.testing.GraphBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class BatchNormForwardFoldingTest {
    private static final PreparationConfig ON =
            Preparing.nothing().optBatchNormForwardFolding(true).build();

    @Test
    void batchNormFoldsIntoThePointwiseConvolutionBehindIt() {
        Graph prepared = Preparing.sameFunction(normalized("strides", new long[] {2, 2}), ON);

        assertThat(Preparing.types(prepared)).containsExactly("Conv");
        assertThat(ComparePoints.of(prepared)).containsExactly(new ComparePoint("out", "out", "w", "out.bias", 0));
    }

    @Test
    void batchNormWithoutTheSwitchStaysInFront() {
        assertThat(Preparing.types(
                        Preparing.sameFunction(normalized(), Preparing.nothing().build())))
                .containsExactly("Mul", "Add", "Conv");
    }

    @Test
    void aDepthwisePointwiseConvolutionFoldsAndSoDoesWhatIsInFrontOfIt() {
        Graph prepared = Preparing.sameFunction(
                Preparing.norm(4)
                        .input("x", -1, 4, 5, 5)
                        .weight("d", 4, 1, 1, 1)
                        .weight("db", 4)
                        .weight("w", 6, 4, 1, 1)
                        .weight("wb", 6)
                        .node("BatchNormalization", "x g b m v", "n")
                        .node("Conv", "n d db", "c", "group", 4)
                        .node("Conv", "c w wb", "out", "auto_pad", "SAME_UPPER")
                        .build(),
                ON);

        assertThat(Preparing.types(prepared)).containsExactly("Conv");
        assertThat(ComparePoints.of(prepared)).containsExactly(new ComparePoint("out", "out", "w", "wb", 0));
    }

    @Test
    void paddingKeepsTheBatchNorm() {
        stays(normalized("pads", new long[] {1, 1, 1, 1}));
    }

    @Test
    void groupsKeepTheBatchNorm() {
        stays(normalized(new long[] {6, 2, 1, 1}, "group", 2));
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8})
    void aDepthwisePointwiseConvolutionBehindTakesTheBatchNorm(int outputs) {
        Graph graph = normalized(new long[] {outputs, 1, 1, 1}, "group", 4, "strides", new long[] {2, 2});

        assertThat(Preparing.types(Preparing.sameFunction(graph, ON))).containsExactly("Conv");
    }

    @Test
    void aLargerKernelKeepsTheBatchNorm() {
        stays(normalized(new long[] {6, 4, 1, 3}));
    }

    @Test
    void anotherReaderKeepsTheBatchNorm() {
        stays(normalization().node("Conv", "n w", "c").node("Add", "c n", "out").build());
    }

    @Test
    void anOutputOfTheGraphKeepsTheBatchNorm() {
        stays(normalization()
                .node("Conv", "n w", "out")
                .output("n", ElementType.FLOAT32)
                .output("out", ElementType.FLOAT32)
                .build());
    }

    @Test
    void aDepthwiseConvolutionWithStridesPaddingOrMultiplierStays() {
        assertThat(depthwise(4, "strides", new long[] {2, 2})).isEqualTo(2);
        assertThat(depthwise(4, "pads", new long[] {1, 1, 1, 1})).isEqualTo(2);
        assertThat(depthwise(8)).isEqualTo(2);
        assertThat(depthwise(4)).isEqualTo(1);
    }

    @Test
    void foldingForwardLowersTheErrorOfQuantization() {
        assertThat(Preparing.errorRatio(normalized(), QuantizationConfig.defaults(), ON))
                .isLessThan(0.8);
    }

    private static long depthwise(int outputs, Object... attributes) {
        Object[] all = new Object[attributes.length + 2];
        System.arraycopy(attributes, 0, all, 2, attributes.length);
        all[0] = "group";
        all[1] = 4;
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 4, 5, 5)
                .weight("d", outputs, 1, 1, 1)
                .weight("db", outputs)
                .weight("w", 6, outputs, 1, 1)
                .node("Conv", "x d db", "c", all)
                .node("Conv", "c w", "out")
                .build();
        return Preparing.sameFunction(graph, ON).nodes().size();
    }

    private static void stays(Graph graph) {
        assertThat(Preparing.types(Preparing.sameFunction(graph, ON))).startsWith("Mul", "Add", "Conv");
    }

    private static Graph normalized(Object... attributes) {
        return normalized(new long[] {4, 4, 1, 1}, attributes);
    }

    private static Graph normalized(long[] kernel, Object... attributes) {
        return normalization()
                .weight("w", kernel)
                .node("Conv", "n w", "out", attributes)
                .build();
    }

    private static GraphBuilder normalization() {
        return Preparing.norm(4)
                .input("x", -1, 4, 5, 5)
                .weight("w", 4, 4, 1, 1)
                .node("BatchNormalization", "x g b m v", "n");
    }
}
