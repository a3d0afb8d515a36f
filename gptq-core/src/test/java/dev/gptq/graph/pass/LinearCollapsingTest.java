package dev.gptq.graph.pass;

import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.testing.GraphBuilder;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class LinearCollapsingTest {
    private static final PreparationConfig ON =
            Preparing.nothing().optLinearCollapsing(true).build();
    private static final Object[] PADDED = {"pads", new long[] {1, 1, 1, 1}};

    @Test
    void aConvolutionAndThePointwiseOneBehindItBecomeOne() {
        Graph prepared = Preparing.sameFunction(pair(16, PADDED), ON);

        assertThat(Preparing.types(prepared)).containsExactly("Conv");
        assertThat(ComparePoints.of(prepared)).containsExactly(new ComparePoint("c", "out", "w1", "b1", 0));
        assertThat(prepared.constants().get("w1").shape()).containsExactly(5, 4, 3, 3);
        assertThat(prepared.constants()).containsOnlyKeys("w1", "b1");
    }

    @Test
    void aChainBecomesOne() {
        Graph graph = builder(16)
                .weight("w3", 4, 5, 1, 1)
                .node("Conv", "x w1", "c")
                .node("Conv", "c w2 b2", "d")
                .node("Conv", "d w3", "out")
                .build();

        Graph prepared = Preparing.sameFunction(graph, ON);

        assertThat(ComparePoints.of(prepared)).containsExactly(new ComparePoint("c", "out", "w1", "c.bias", 0));
    }

    @Test
    void parametersThatWouldIncreaseKeepThePair() {
        // 1 x 4 x 9 + 5 x 1 parameters are fewer than 5 x 4 x 9; with m channels between, m (36 + 5) >= 180 from m = 5
        // on.
        assertThat(collapsed(pair(1, PADDED))).isFalse();
        assertThat(collapsed(pair(4, PADDED))).isFalse();
        assertThat(collapsed(pair(5, PADDED))).isTrue();
    }

    @Test
    void stridesAndDilationsKeepThePair() {
        assertThat(collapsed(pair(16, "strides", new long[] {2, 2}))).isFalse();
        assertThat(collapsed(pair(16, "dilations", new long[] {2, 2}))).isFalse();
        assertThat(collapsed(second(16, "strides", new long[] {2, 2}))).isFalse();
    }

    @Test
    void paddingBetweenTheTwoKeepsThem() {
        assertThat(collapsed(second(16, PADDED))).isFalse();
        assertThat(collapsed(second(16))).isTrue();
    }

    @Test
    void groupsKeepThePair() {
        Graph grouped = new GraphBuilder(13)
                .input("x", -1, 4, 5, 5)
                .weight("w1", 16, 2, 3, 3)
                .weight("w2", 4, 16, 1, 1)
                .weight("w3", 4, 2, 1, 1)
                .node("Conv", "x w1", "c", "group", 2)
                .node("Conv", "c w2", "d")
                .node("Conv", "d w3", "out", "group", 2)
                .build();

        assertThat(Preparing.sameFunction(grouped, ON).nodes()).hasSize(3);
    }

    @Test
    void aLargerSecondKernelAndAnActivationBetweenKeepThePair() {
        keeps(builder(16).weight("w2", 5, 16, 3, 3).node("Conv", "x w1", "c").node("Conv", "c w2", "out"), 2);
        keeps(builder(16).node("Conv", "x w1", "c").node("Relu", "c", "r").node("Conv", "r w2", "out"), 3);
    }

    @Test
    void anotherReaderAndAnOutputBetweenKeepThePair() {
        GraphBuilder read = builder(5).node("Conv", "x w1", "c").node("Conv", "c w2", "d");
        GraphBuilder output = builder(16).node("Conv", "x w1", "c").node("Conv", "c w2", "out");

        keeps(read.node("Add", "c d", "out"), 3);
        keeps(output.output("c", ElementType.FLOAT32).output("out", ElementType.FLOAT32), 2);
    }

    @Test
    void withoutTheSwitchThePairStays() {
        assertThat(Preparing.sameFunction(pair(16, PADDED), Preparing.nothing().build())
                        .nodes())
                .hasSize(2);
    }

    @Test
    void collapsingLowersTheErrorOfQuantization() {
        assertThat(Preparing.errorRatio(pair(16, PADDED), QuantizationConfig.defaults(), ON))
                .isLessThan(0.8);
    }

    private static void keeps(GraphBuilder graph, int nodes) {
        assertThat(Preparing.sameFunction(graph.build(), ON).nodes()).hasSize(nodes);
    }

    private static boolean collapsed(Graph graph) {
        return Preparing.sameFunction(graph, ON).nodes().size() == 1;
    }

    private static Graph pair(int between, Object... attributesOfFirst) {
        return builder(between)
                .node("Conv", "x w1 b1", "c", attributesOfFirst)
                .node("Conv", "c w2 b2", "out")
                .build();
    }

    private static Graph second(int between, Object... attributesOfSecond) {
        return builder(between)
                .node("Conv", "x w1 b1", "c")
                .node("Conv", "c w2 b2", "out", attributesOfSecond)
                .build();
    }

    private static GraphBuilder builder(int between) {
        return new GraphBuilder(13)
                .input("x", -1, 4, 7, 7)
                .weight("w1", between, 4, 3, 3)
                .weight("b1", between)
                .weight("w2", 5, between, 1, 1)
                .weight("b2", 5);
    }
}
