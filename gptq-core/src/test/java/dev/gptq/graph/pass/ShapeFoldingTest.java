package dev.gptq.graph.pass;

import dev.gptq.config.PreparationConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static dev.gptq.testing.Closeness.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

class ShapeFoldingTest {
    private static final int WIDTH = 6;

    /** As PyTorch exports an attention whose queries and keys come from different sequences. */
    @Test
    void kernelsThatAreCutOutOfOneConstantAtComputedPlacesAreLayers() {
        Graph graph = new GraphBuilder(14)
                .input("x", -1, 5, WIDTH)
                .input("y", -1, 4, WIDTH)
                .weight("kernels", 2 * WIDTH, WIDTH)
                .longs("zero", 0)
                .longs("one", 1)
                .longs("two", 2)
                .longs("last", 2)
                .node("Transpose", "x", "t", "perm", new long[] {1, 0, 2})
                .node("Transpose", "y", "u", "perm", new long[] {1, 0, 2})
                .node("Shape", "t", "shape")
                .node("Gather", "shape last", "width")
                .node("Mul", "width one", "split")
                .node("Mul", "width two", "end")
                .node("Slice", "kernels zero split zero", "q")
                .node("Slice", "kernels split end zero", "k")
                .node("Transpose", "q", "qt", "perm", new long[] {1, 0})
                .node("Transpose", "k", "kt", "perm", new long[] {1, 0})
                .node("MatMul", "t qt", "queries")
                .node("MatMul", "u kt", "keys")
                .node("Transpose", "queries", "a", "perm", new long[] {1, 0, 2})
                .node("Transpose", "keys", "b", "perm", new long[] {1, 2, 0})
                .node("MatMul", "a b", "out")
                .build();

        Graph prepared = GraphPreparation.prepare(graph, PreparationConfig.defaults());

        assertThat(ComparePoints.of(prepared)).extracting(ComparePoint::name).containsExactly("queries", "keys");
        assertThat(prepared.nodes()).extracting(Node::opType).containsOnly("Transpose", "MatMul");
        Map<String, TensorData> batch = Map.of("x", Models.random(1, 3, 5, WIDTH), "y", Models.random(2, 3, 4, WIDTH));
        assertClose(
                Models.run(prepared, batch).get("out"), Models.run(graph, batch).get("out"), 1e-6);
    }

    @Test
    void whatFollowsFromTheBatchStaysComputed() {
        Graph graph = new GraphBuilder(14)
                .input("x", -1, 5, WIDTH)
                .longs("first", 0)
                .longs("width", WIDTH)
                .longs("rest", -1)
                .node("Shape", "x", "shape")
                .node("Gather", "shape first", "batch")
                .node("Concat", "batch rest width", "rows", "axis", 0)
                .node("Reshape", "x rows", "r")
                .weight("w", WIDTH, 2)
                .node("MatMul", "r w", "out")
                .build();

        Graph prepared = GraphPreparation.prepare(graph, PreparationConfig.defaults());

        assertThat(prepared.nodes()).extracting(Node::opType).contains("Shape", "Gather", "Concat");
        for (int batch : new int[] {1, 3}) {
            Map<String, TensorData> inputs = Map.of("x", Models.random(1, batch, 5, WIDTH));
            assertClose(
                    Models.run(prepared, inputs).get("out"),
                    Models.run(graph, inputs).get("out"),
                    1e-6);
        }
    }

    @Test
    void knownSizesPassThroughWhatExportersPutBetween() {
        Graph graph = new GraphBuilder(14)
                .input("ids", ElementType.INT64, -1, 5)
                .weight("table", 20, WIDTH)
                .weight("w", WIDTH, 4)
                .scalar("c", 2)
                .longs("unaxis", 1)
                .longs("index", 3)
                .longs("rows", 0, 5, -1)
                .node("Gather", "table ids", "e")
                .node("ReduceMean", "e", "m", "axes", new long[] {-1}, "keepdims", 1)
                .node("Sub", "e m", "s")
                .node("Div", "s c", "d")
                .node("Unsqueeze", "d unaxis", "q")
                .node("Concat", "q q", "cc", "axis", 1)
                .node("Shape", "cc", "shape")
                .node("Gather", "shape index", "width")
                .node("Cast", "width", "f", "to", 1)
                .node("ReduceMean", "cc", "z", "axes", new long[] {1}, "keepdims", 0)
                .node("MatMul", "z w", "y")
                .node("Reshape", "y rows", "g")
                .node("Mul", "g f", "out")
                .build();

        Graph prepared = GraphPreparation.prepare(graph, PreparationConfig.defaults());

        assertThat(prepared.nodes()).extracting(Node::opType).doesNotContain("Shape", "Cast");
        Map<String, TensorData> batch =
                Map.of("ids", TensorData.ofLongs(ElementType.INT64, new long[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 2, 5));
        assertClose(
                Models.run(prepared, batch).get("out"), Models.run(graph, batch).get("out"), 1e-6);
    }

    @Test
    void knownSizesPassThroughTheSlicesAndProductsOfAnAttention() {
        Graph graph = new GraphBuilder(14)
                .input("x", -1, 5, 2 * WIDTH)
                .weight("w", WIDTH, WIDTH)
                .weight("b", WIDTH)
                .longs("zero", 0)
                .longs("two", 2)
                .longs("negative", -WIDTH)
                .longs("end", Long.MAX_VALUE)
                .longs("rows", -1, WIDTH)
                .longs("inner", 1)
                .node("Slice", "x negative end two", "s")
                .node("Reshape", "s rows", "r")
                .node("Gemm", "r w b", "g", "transB", 1)
                .node("Shape", "g", "shape")
                .node("Slice", "shape inner two zero", "width")
                .node("Shape", "s", "outer")
                .node("Slice", "outer zero two zero", "front")
                .node("Concat", "front width", "whole", "axis", 0)
                .node("Reshape", "g whole", "h")
                .node("Shape", "h", "known")
                .node("Slice", "known inner end zero", "sizes")
                .node("Cast", "sizes", "f", "to", 1)
                .node("ReduceSum", "f zero", "sum")
                .node("Mul", "h sum", "out")
                .build();

        Graph prepared = GraphPreparation.prepare(graph, PreparationConfig.defaults());

        assertThat(prepared.nodes()).extracting(Node::opType).doesNotContain("Cast", "ReduceSum");
        Map<String, TensorData> batch = Map.of("x", Models.random(1, 3, 5, 2 * WIDTH));
        assertClose(
                Models.run(prepared, batch).get("out"), Models.run(graph, batch).get("out"), 1e-6);
    }

    /** Models from others reach this pass; what their nodes ask for in vain is left to the engine to refuse. */
    @ParameterizedTest
    @ValueSource(strings = {"Transpose", "Gather", "Squeeze", "Unsqueeze", "ReduceMean", "Concat", "Slice"})
    void axesThatAreNotThereLeaveAShapeUnknown(String operator) {
        GraphBuilder builder = new GraphBuilder(13)
                .input("x", -1, 5, WIDTH)
                .longs("zero", 0)
                .longs("far", 9)
                .longs("one", 1);
        switch (operator) {
            case "Transpose" -> builder.node(operator, "x", "y", "perm", new long[] {0, 1, 9});
            case "ReduceMean" -> builder.node(operator, "x", "y", "axes", new long[] {9});
            case "Concat" -> builder.node(operator, "x x", "y", "axis", 9);
            case "Gather" -> builder.node(operator, "x zero", "y", "axis", 9);
            case "Slice" -> builder.node(operator, "x zero one far", "y");
            default -> builder.node(operator, "x far", "y");
        }
        Graph graph = builder.node("Shape", "y", "out")
                .output("out", ElementType.INT64)
                .build();

        assertThat(KnownShapes.constants(graph)).isEmpty();
        assertThat(ShapeFolding.apply(graph).nodes()).hasSize(2);
    }
}
