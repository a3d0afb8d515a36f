package dev.gptq.graph.pass;

import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class ReluBoundToPowerOfTwoTest {
    private static final PreparationConfig ON =
            Preparing.nothing().optReluBoundToPowerOfTwo(true).build();

    @ParameterizedTest
    @CsvSource({"6, 8", "3, 4", "0.7, 1", "10, 16", "4, 4"})
    void theBoundBecomesTheNextPowerOfTwo(float bound, float expected) {
        Graph graph = convolutions(0, bound);
        Graph prepared = Preparing.sameFunction(graph, ON);

        assertThat(bound(prepared, "r")).isEqualTo(expected);
        assertThat(ComparePoints.of(prepared)).isEqualTo(ComparePoints.of(graph));
        assertThat(prepared.constants().get("w1").floats()[0])
                .isCloseTo(graph.constants().get("w1").floats()[0] * expected / bound, within());
        assertThat(prepared.constants().get("w2").floats()[0])
                .isCloseTo(graph.constants().get("w2").floats()[0] * bound / expected, within());
    }

    @Test
    void boundsInARowAllMoveThoughTheyShareTheirConstants() {
        Graph prepared = Preparing.sameFunction(
                bounds(0, 6)
                        .input("x", -1, 4)
                        .weight("w1", 4, 5)
                        .weight("b1", 5)
                        .weight("w2", 5, 6)
                        .weight("w3", 3, 6)
                        .node("MatMul", "x w1", "p")
                        .node("Add", "b1 p", "a")
                        .node("Clip", "a low high", "r")
                        .node("MatMul", "r w2", "q")
                        .node("Clip", "q low high", "s")
                        .node("Gemm", "s w3", "d", "transB", 1)
                        .node("Clip", "d low high", "out")
                        .build(),
                ON);

        assertThat(bound(prepared, "r")).isEqualTo(8);
        assertThat(bound(prepared, "s")).isEqualTo(8);
        assertThat(bound(prepared, "out")).isEqualTo(6);
        assertThat(ComparePoints.of(prepared)).extracting(ComparePoint::bias).containsExactly("b1", null, "d.bias");
    }

    @Test
    void aTransposedConvolutionScalesToo() {
        Graph prepared = Preparing.sameFunction(
                bounds(0, 6)
                        .input("x", -1, 4, 5, 5)
                        .weight("w1", 4, 3, 3, 3)
                        .weight("w2", 3, 2, 3, 3)
                        .node("ConvTranspose", "x w1", "c")
                        .node("Clip", "c low high", "r")
                        .node("ConvTranspose", "r w2", "out", "pads", new long[] {1, 1, 1, 1})
                        .build(),
                ON);

        assertThat(bound(prepared, "r")).isEqualTo(8);
    }

    @Test
    void aLowerBoundOtherThanZeroStays() {
        assertThat(bound(Preparing.sameFunction(convolutions(-1, 6), ON), "r")).isEqualTo(6);
    }

    @Test
    void anUnboundedClipStays() {
        Graph graph = new GraphBuilder(9)
                .input("x", -1, 4)
                .weight("w1", 4, 5)
                .weight("w2", 5, 3)
                .node("MatMul", "x w1", "c")
                .node("Clip", "c", "r", "min", 0f)
                .node("MatMul", "r w2", "out")
                .build();

        assertThat(bound(Preparing.sameFunction(graph, ON), "r")).isEqualTo(Float.MAX_VALUE);
    }

    @Test
    void otherReadersOfEitherTensorKeepTheBound() {
        keepsBound(clipped().node("Conv", "r w2", "d").node("Add", "c d", "out"));
        keepsBound(clipped().node("Conv", "r w2", "d").node("Add", "r d", "out"));
    }

    @Test
    void anOutputOfTheGraphAndAnOperatorBetweenKeepTheBound() {
        keepsBound(clipped()
                .node("Conv", "r w2", "out")
                .output("r", ElementType.FLOAT32)
                .output("out", ElementType.FLOAT32));
        keepsBound(clipped().node("Sigmoid", "r", "s").node("Conv", "s w2", "out"));
    }

    @Test
    void theDefaultKeepsTheBound() {
        assertThat(bound(Preparing.sameFunction(convolutions(0, 6), PreparationConfig.defaults()), "r"))
                .isEqualTo(6);
    }

    /**
     * A grid up to 8 leaves a quarter of its steps unused when the activation ends at 6. The model subtracts two activations
     * that are nearly equal, so that their rounding is most of its error.
     */
    @Test
    void movingTheBoundLowersTheErrorOfAPowerOfTwoGrid() {
        Graph graph = bounds(0, 6)
                .input("x", -1, 2, 6, 6)
                .constant("w1", TensorData.ofFloats(new float[] {1, 0.0625f, 1, -0.0625f}, 2, 2, 1, 1))
                .constant("b1", TensorData.ofFloats(new float[] {3, 3}, 2))
                .constant("w2", TensorData.ofFloats(new float[] {1, -1}, 1, 2, 1, 1))
                .node("Conv", "x w1 b1", "c")
                .node("Clip", "c low high", "r")
                .node("Conv", "r w2", "out")
                .build();

        assertThat(Preparing.errorRatio(graph, QuantizationConfig.ofPreset("imx500"), ON))
                .isLessThan(0.75);
    }

    private static Graph convolutions(float low, float high) {
        return chain().scalar("low", low)
                .scalar("high", high)
                .node("Clip", "c low high", "r")
                .node("Conv", "r w2 b2", "out", "pads", new long[] {1, 1, 1, 1})
                .build();
    }

    private static void keepsBound(GraphBuilder graph) {
        assertThat(bound(Preparing.sameFunction(graph.build(), ON), "r")).isEqualTo(6);
    }

    private static GraphBuilder clipped() {
        return chain().node("Clip", "c low high", "r");
    }

    private static GraphBuilder chain() {
        return bounds(0, 6)
                .input("x", -1, 4, 5, 5)
                .weight("w1", 4, 4, 3, 3)
                .weight("b1", 4)
                .weight("w2", 4, 4, 1, 1)
                .weight("b2", 4)
                .node("Conv", "x w1 b1", "c", "pads", new long[] {1, 1, 1, 1});
    }

    private static GraphBuilder bounds(float low, float high) {
        return new GraphBuilder(13).scalar("low", low).scalar("high", high);
    }

    private static float bound(Graph graph, String clip) {
        Node node = graph.producers().get(clip);
        return graph.constants().get(node.input(2)).floats()[0];
    }

    private static Offset<Float> within() {
        return Offset.offset(1e-6f);
    }
}
