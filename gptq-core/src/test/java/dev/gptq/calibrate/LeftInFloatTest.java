package dev.gptq.calibrate;

import dev.gptq.config.PreparationConfig;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.testing.GraphBuilder;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

class LeftInFloatTest {
    @Test
    void everyProductThatIsNoLayerIsNamedWithItsReason() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 6)
                .weight("w", 6, 6)
                .weight("vector", 6)
                .weight("first", 4, 6)
                .constant("doubles", TensorData.ofDoubles(new double[36], 6, 6))
                .node("MatMul", "x w", "layer")
                .node("Einsum", "layer", "turned", "equation", "ij->ji")
                .node("MatMul", "first turned", "unknown")
                .node("Gemm", "first turned", "gemm")
                .node("Gemm", "x w", "transposed", "transA", 1)
                .node("MatMul", "x vector", "dot")
                .node("Cast", "x", "wide", "to", 11)
                .node("MatMul", "wide doubles", "double")
                .node("MatMul", "layer turned", "both")
                .node("ReduceSum", "unknown", "a")
                .node("ReduceSum", "gemm", "b")
                .node("ReduceSum", "transposed", "c")
                .node("ReduceSum", "dot", "d")
                .node("Cast", "double", "narrow", "to", 1)
                .node("ReduceSum", "narrow", "e")
                .node("ReduceSum", "both", "f")
                .node("Sum", "a b c d e f", "out")
                .build();
        Graph prepared = GraphPreparation.prepare(graph, PreparationConfig.defaults());
        WeightQuantizer layer =
                new WeightQuantizer(ComparePoints.of(prepared).get(0), null, 8, -1, null, null, null, null);

        assertThat(LeftInFloat.of(prepared, new QuantizationPlan(List.of(layer), List.of())))
                .extracting(LeftInFloat::node, LeftInFloat::reason)
                .containsExactly(
                        tuple(
                                "unknown",
                                "its constant kernel is the first operand, and how many dimensions the second has is not"
                                        + " known"),
                        tuple("gemm", "its constant kernel is the first operand"),
                        tuple("transposed", "its form (alpha, beta or transA) is not a plain product"),
                        tuple("dot", "its kernel is a vector"),
                        tuple("double", "its kernel is of type FLOAT64"));
    }
}
