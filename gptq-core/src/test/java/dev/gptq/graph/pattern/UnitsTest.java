package dev.gptq.graph.pattern;

import dev.gptq.config.PreparationConfig;
import dev.gptq.graph.Graph;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.testing.Decomposed;
import dev.gptq.testing.GraphBuilder;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

class UnitsTest {
    static Stream<Arguments> forms() {
        return Stream.of(
                Arguments.of("hard-swish of HardSigmoid", Decomposed.HARD_SWISH_OF_HARD_SIGMOID, Unit.Kind.GATED, 2),
                Arguments.of("hard-swish of Clip", Decomposed.HARD_SWISH_OF_CLIP, Unit.Kind.GATED, 4),
                Arguments.of("hard-sigmoid of Clip", Decomposed.HARD_SIGMOID_OF_CLIP, Unit.Kind.ELEMENTWISE, 3),
                Arguments.of("swish", Decomposed.SWISH, Unit.Kind.GATED, 2),
                Arguments.of("GELU of Erf", Decomposed.GELU_OF_ERF, Unit.Kind.ELEMENTWISE, 5),
                Arguments.of("GELU of Tanh", Decomposed.GELU_OF_TANH, Unit.Kind.ELEMENTWISE, 8),
                Arguments.of("layer normalization", Decomposed.layerNorm(6), Unit.Kind.NORMALIZATION, 9));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("forms")
    void aDecomposedFunctionBehindALayerIsOneUnit(String name, Decomposed.Form form, Unit.Kind kind, int nodes) {
        Graph graph =
                prepared(form.addTo(layer(), "layer", "f").weight("v", 6, 6).node("MatMul", "f v", "out"));

        List<Unit> units = Units.of(graph);

        assertThat(units).hasSize(1);
        assertThat(units.get(0).kind()).isEqualTo(kind);
        assertThat(units.get(0).nodes()).hasSize(nodes);
        assertThat(units.get(0).exit().output()).isEqualTo("f");
        assertThat(units.get(0).inner()).hasSize(nodes - 1).doesNotContain("layer", "f");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("forms")
    void aTensorInsideThatAnotherNodeReadsMakesItSeveralFunctions(
            String name, Decomposed.Form form, Unit.Kind kind, int nodes) {
        Graph whole = form.addTo(layer(), "layer", "out").build();
        String inner = Units.of(prepared(form.addTo(layer(), "layer", "out"))).get(0).inner().stream()
                .sorted()
                .findFirst()
                .orElseThrow();
        Graph open = prepared(form.addTo(layer(), "layer", "f")
                .node("Tanh", inner.replace("out", "f"), "t")
                .node("Concat", "f t", "out", "axis", -1));

        assertThat(whole.nodes()).isNotEmpty();
        assertThat(Units.of(open)).allMatch(unit -> unit.nodes().size() < nodes);
    }

    @Test
    void scaleMaskAndSoftmaxOfAnAttentionAreOneUnitWithoutItsProducts() {
        Graph graph = prepared(new GraphBuilder(13)
                .input("q", -1, 2, 5, 4)
                .input("k", -1, 2, 4, 5)
                .input("v", -1, 2, 5, 4)
                .input("mask", -1, 1, 1, 5)
                .scalar("root", 2)
                .node("MatMul", "q k", "product")
                .node("Div", "product root", "scaled")
                .node("Add", "mask scaled", "masked")
                .node("Softmax", "masked", "weights")
                .node("MatMul", "weights v", "out"));

        List<Unit> units = Units.of(graph);

        assertThat(units).hasSize(1);
        assertThat(units.get(0).kind()).isEqualTo(Unit.Kind.ATTENTION);
        assertThat(units.get(0).nodes()).extracting(node -> node.name()).containsExactly("scaled", "masked", "weights");
    }

    @Test
    void sumsOfTwoTensorsAndTheWayThroughALayerAreNoUnits() {
        Graph graph = prepared(new GraphBuilder(13)
                .input("x", -1, 6)
                .input("y", -1, 6)
                .weight("w", 6, 6)
                .weight("b", 6)
                .node("Add", "x y", "sum")
                .node("MatMul", "sum w", "product")
                .node("Add", "product b", "biased")
                .node("Relu", "biased", "limited")
                .node("Mul", "limited x", "out"));

        assertThat(Units.of(graph)).isEmpty();
    }

    private static GraphBuilder layer() {
        return new GraphBuilder(13)
                .input("x", -1, 3, 6)
                .weight("w", 6, 6)
                .weight("b", 6)
                .node("MatMul", "x w", "product")
                .node("Add", "product b", "layer");
    }

    private static Graph prepared(GraphBuilder builder) {
        return GraphPreparation.prepare(builder.build(), PreparationConfig.defaults());
    }
}
