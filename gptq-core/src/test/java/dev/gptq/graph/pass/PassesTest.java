package dev.gptq.graph.pass;

import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.testing.GraphBuilder;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class PassesTest {
    @Test
    void batchNormFoldsIntoGroupedTransposedConvolution() {
        Graph prepared = prepareAndCompare(Preparing.norm(6)
                .input("x", -1, 4, 5, 5)
                .weight("w", 4, 3, 3, 3)
                .node("ConvTranspose", "x w", "c", "group", 2, "strides", new long[] {2, 2})
                .node("BatchNormalization", "c g b m v", "out"));

        assertThat(Preparing.types(prepared)).containsExactly("ConvTranspose");
    }

    @Test
    void batchNormFoldsIntoDepthwiseConvolutionAndGemm() {
        Graph prepared = prepareAndCompare(Preparing.norm(4)
                .input("x", -1, 4, 3, 3)
                .weight("w", 4, 1, 3, 3)
                .weight("wb", 4)
                .weight("w2", 4, 4)
                .node("Conv", "x w wb", "c", "group", 4)
                .node("BatchNormalization", "c g b m v", "n")
                .node("Flatten", "n", "f")
                .node("Gemm", "f w2", "d")
                .node("BatchNormalization", "d g b m v", "out"));

        assertThat(Preparing.types(prepared)).containsExactly("Conv", "Flatten", "Gemm");
    }

    @Test
    void batchNormBehindAConvolutionThatOthersReadBecomesMulAndAdd() {
        Graph prepared = prepareAndCompare(Preparing.norm(4)
                .input("x", -1, 3, 5, 5)
                .weight("w", 4, 3, 3, 3)
                .node("Conv", "x w", "c")
                .node("BatchNormalization", "c g b m v", "n")
                .node("Add", "c n", "out"));

        assertThat(Preparing.types(prepared)).containsExactly("Conv", "Mul", "Add", "Add");
    }

    @Test
    void batchNormStaysWhereFoldingIsSwitchedOff() {
        Graph prepared = Preparing.sameFunction(
                normalizedConvolution(), Preparing.nothing().build());

        assertThat(Preparing.types(prepared)).containsExactly("Conv", "Mul", "Add");
    }

    @Test
    void foldingBatchNormLowersTheErrorOfQuantization() {
        PreparationConfig folding =
                Preparing.nothing().optBatchNormFolding(true).build();

        assertThat(Preparing.errorRatio(normalizedConvolution(), QuantizationConfig.ofPreset("tensorrt"), folding))
                .isLessThan(0.8);
    }

    @Test
    void layersThatShareAKernelGetTheirOwn() {
        Graph prepared = prepareAndCompare(new GraphBuilder(13)
                .input("x", -1, 4)
                .weight("w", 4, 4)
                .weight("wb", 4)
                .node("Gemm", "x w wb", "a")
                .node("Gemm", "a w wb", "d")
                .node("Mul", "d wb", "out"));

        List<ComparePoint> points = ComparePoints.of(prepared);
        assertThat(points).extracting(ComparePoint::weight).doesNotHaveDuplicates();
        assertThat(points).extracting(ComparePoint::bias).doesNotHaveDuplicates();
        // What trains a bias must not change the factor.
        assertThat(points)
                .extracting(ComparePoint::bias)
                .doesNotContain(node(prepared, "out").input(1));
    }

    @Test
    void alphaAndBetaOfAGemmMoveIntoItsConstants() {
        Graph prepared = prepareAndCompare(new GraphBuilder(13)
                .input("x", -1, 3)
                .weight("w", 4, 3)
                .weight("c", 1, 4)
                .node("Gemm", "x w c", "out", "alpha", 0.5f, "beta", 3f, "transB", 1));

        ComparePoint point = ComparePoints.of(prepared).get(0);
        assertThat(point.channelAxis()).isZero();
        assertThat(prepared.constants().get(point.bias()).shape()).containsExactly(4);
    }

    @Test
    void aMatMulAndTheVectorAddedToItAreOneComparePoint() {
        Graph prepared = prepareAndCompare(new GraphBuilder(13)
                .input("x", -1, 5, 3)
                .weight("w", 3, 4)
                .weight("c", 1, 4)
                .weight("w2", 4, 2)
                .node("MatMul", "x w", "p")
                .node("Add", "c p", "a")
                .node("MatMul", "a w2", "out"));

        List<ComparePoint> points = ComparePoints.of(prepared);
        assertThat(points).extracting(ComparePoint::output).containsExactly("a", "out");
        assertThat(prepared.constants().get(points.get(0).bias()).shape()).containsExactly(4);
        assertThat(points.get(1).bias()).isNull();
    }

    @Test
    void identitiesGoAndOutputsKeepTheirNames() {
        Graph prepared = prepareAndCompare(new GraphBuilder(13)
                .input("x", -1, 3)
                .weight("raw", 3, 4)
                .node("Identity", "raw", "w")
                .node("Identity", "x", "i")
                .node("MatMul", "i w", "p")
                .node("Dropout", "p", "d")
                .node("Identity", "d", "out"));

        assertThat(Preparing.types(prepared)).containsExactly("MatMul");
        assertThat(prepared.nodes().get(0).outputs()).containsExactly("out");
        assertThat(ComparePoints.of(prepared)).hasSize(1);
    }

    @Test
    void whatConstantsAloneDecideIsComputedAndTheRestDropped() {
        Graph prepared = prepareAndCompare(new GraphBuilder(13)
                .input("x", -1, 3)
                .weight("wt", 4, 3)
                .weight("s", 1)
                .weight("unused", 7)
                .node("Transpose", "wt", "t")
                .node("Mul", "t s", "w")
                .node("MatMul", "x w", "out")
                .node("Relu", "x", "dead"));

        assertThat(Preparing.types(prepared)).containsExactly("MatMul");
        assertThat(prepared.constants()).containsOnlyKeys("w");
    }

    private static Graph prepareAndCompare(GraphBuilder builder) {
        return Preparing.sameFunction(builder.build(), PreparationConfig.defaults());
    }

    private static Graph normalizedConvolution() {
        return Preparing.norm(4)
                .input("x", -1, 3, 5, 5)
                .weight("w", 4, 3, 3, 3)
                .node("Conv", "x w", "c")
                .node("BatchNormalization", "c g b m v", "out")
                .build();
    }

    private static Node node(Graph graph, String output) {
        return graph.producers().get(output);
    }
}
