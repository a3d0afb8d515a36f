package dev.gptq.graph.pass;

import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class LayerShapesTest {
    @ParameterizedTest
    @ValueSource(strings = {"m1_bn", "m2_bn", "m2_folded"})
    void wellFormedModelsAreRead(String name) {
        assertThat(OnnxReader.read(Models.bytes(name), name).nodes()).isNotEmpty();
    }

    @Test
    void aKernelOfAnotherRankThanItsInputIsNamed() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 3, 8)
                .weight("w", 4, 3, 3, 3)
                .node("Conv", "x w", "out")
                .build();

        refuses(graph, "'out' (Conv) has a kernel of rank 4 for an input of rank 3");
    }

    @Test
    void aKernelOfAnotherRankThanComputedIndicesIsNamed() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 6)
                .weight("w", 4, 3, 3, 3)
                .node("NonZero", "x", "n")
                .node("Cast", "n", "f", "to", 1)
                .node("Conv", "f w", "out")
                .build();

        refuses(graph, "'out' (Conv) has a kernel of rank 4 for an input of rank 2");
    }

    @Test
    void kernelsWithoutElementsAreNamed() {
        Graph graph = new GraphBuilder(18)
                .input("x", -1, 3, 8, 8)
                .constant("w", TensorData.ofFloats(new float[0], 4, 3, 0, 0))
                .scalar("s", 2)
                .weight("g", 4)
                .longs("one", -1)
                .longs("image", 4, 4)
                .longs("block", 0, 2)
                .node("Conv", "x w", "empty")
                .node("MatMul", "empty s", "scalar")
                .node("Reshape", "scalar one", "row")
                .node("BatchNormalization", "row g g g g", "normalized")
                .node("Col2Im", "normalized image block", "out")
                .build();

        assertThatThrownBy(() -> LayerShapes.require(graph, "bad.onnx"))
                .hasMessageContainingAll(
                        "'empty' (Conv) has an empty kernel of shape [4, 3, 0, 0]",
                        "'scalar' (MatMul) has a weight of rank 0",
                        "'normalized' (BatchNormalization) has an input of rank 1",
                        "'out' (Col2Im) has sides [0, 2]");
    }

    @Test
    void everythingThatDoesNotFitIsToldAtOnce() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 4, 8, 8)
                .weight("w", 4, 4, 3, 3)
                .weight("b", 5)
                .weight("g", 4)
                .weight("flat", 4)
                .node("Conv", "x w", "sides", "kernel_shape", new long[] {5, 5})
                .node("Conv", "sides w", "padded", "pads", new long[] {1, 1})
                .node("Conv", "padded w", "strided", "strides", new long[] {2})
                .node("Conv", "strided w", "grouped", "group", 3)
                .node("Conv", "grouped w b", "biased")
                .node("Conv", "biased flat", "none")
                .node("BatchNormalization", "none g g b g", "normalized")
                .node("Gemm", "normalized g", "vector")
                .node("Gemm", "normalized m", "out")
                .weight("m", 4, 4)
                .build();

        assertThatThrownBy(() -> LayerShapes.require(graph, "bad.onnx"))
                .isInstanceOf(GptqException.class)
                .hasMessageStartingWith("Cannot read model bad.onnx: its layers do not fit: ")
                .hasMessageContainingAll(
                        "'sides' (Conv) has kernel_shape [5, 5] and a kernel of shape [4, 4, 3, 3]",
                        "'padded' (Conv) has pads [1, 1] for 2 spatial dimensions",
                        "'strided' (Conv) has strides [2] for 2 spatial dimensions",
                        "'grouped' (Conv) has 3 groups",
                        "'biased' (Conv) has a bias of shape [5] for 4 channels",
                        "'none' (Conv) has a kernel of rank 1",
                        "'normalized' (BatchNormalization) has parameters of shapes [[4], [4], [5], [4]]",
                        "'vector' (Gemm) has a weight of rank 1",
                        "'out' (Gemm) has a weight of rank 2 for an input of rank 4");
    }

    private static void refuses(Graph graph, String problem) {
        byte[] file = OnnxWriter.write(graph);
        assertThatThrownBy(() -> OnnxReader.read(file, "bad.onnx"))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining(problem);
    }
}
