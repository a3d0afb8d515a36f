package dev.gptq.calibrate;

import dev.gptq.config.LayerOverride;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.testing.OnnxRuntime;
import dev.gptq.testing.Quantized;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class IntegerBranchesTest {
    private static final QuantizationConfig CONFIG = QuantizationConfig.defaults();

    @Test
    void theLayersOfAResidualStreamReadABranchAndItsSumReadsWhatWasComputed() {
        Graph graph = stream();

        Graph branched = IntegerBranches.apply(graph, CONFIG);

        assertThat(branched.nodes()).hasSize(graph.nodes().size() + 1);
        assertThat(branched.consumers().get("n/integer"))
                .extracting(node -> node.inputs().get(1))
                .containsExactly("w3", "w5");
        assertThat(branched.consumers().get("n"))
                .extracting(node -> node.opType())
                .containsExactly("Identity", "Add");
        TensorData x = Models.random(3, 4, 5, 6);
        assertThat(OnnxRuntime.run(OnnxWriter.write(branched), Map.of("x", x))
                        .get("out")
                        .floats())
                .isEqualTo(OnnxRuntime.run(OnnxWriter.write(graph), Map.of("x", x))
                        .get("out")
                        .floats());
    }

    @Test
    void theSumIsSparedTheRoundingErrorOfTheLayersInput() {
        // Layers of zeros leave the sum as the only way for an error of n, which 3 bits make a large one.
        Graph graph = stream();
        Map<String, TensorData> constants = new HashMap<>(graph.constants());
        List.of("w3", "w4", "w5")
                .forEach(kernel -> constants.computeIfPresent(
                        kernel, (name, values) -> TensorData.ofFloats(new float[values.size()], values.shape())));
        LayerOverride coarse = LayerOverride.ofActivations("n", LayerOverride.Values.ofBits(3));

        Quantized quantized = Quantized.of(
                graph.withConstants(constants),
                CONFIG.withLayers(List.of(coarse)),
                Map.of("x", Models.random(3, 64, 5, 6)));

        assertThat(quantized.plan().activations())
                .filteredOn(quantizer -> quantizer.bits() == 3)
                .extracting(ActivationQuantizer::tensor)
                .containsExactly("n/integer");
        float[] expected = quantized.expected().floats();
        for (int i = 0; i < expected.length; i++) {
            assertThat(quantized.runtime().floats()[i]).isCloseTo(expected[i], Offset.offset(1e-6f));
        }
    }

    @Test
    void aResidualBlockOfConvolutionsWhoseSumIsAnIntegerOneStaysAsItIs() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 4, 8, 8)
                .weight("w1", 4, 4, 1, 1)
                .weight("w2", 4, 4, 1, 1)
                .weight("w3", 4, 4, 1, 1)
                .node("Conv", "x w1", "a")
                .node("Relu", "a", "r")
                .node("Conv", "r w2", "b")
                .node("Add", "b r", "s")
                .node("Conv", "s w3", "out")
                .build();

        assertThat(IntegerBranches.apply(graph, CONFIG)).isSameAs(graph);
    }

    @Test
    void anIntegerKernelStillEndsOnTheGridWhereAFunctionInFloatReadsItsOutput() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 4, 8, 8)
                .weight("w1", 4, 4, 1, 1)
                .weight("w2", 4, 4, 1, 1)
                .node("Conv", "x w1", "a")
                .node("Conv", "a w2", "out")
                .node("Tanh", "a", "t")
                .output("out", ElementType.FLOAT32)
                .output("t", ElementType.FLOAT32)
                .build();

        assertThat(IntegerBranches.apply(graph, CONFIG)).isSameAs(graph);
    }

    @Test
    void otherTargetsRunSumsOnIntegers() {
        Graph graph = stream();

        assertThat(IntegerBranches.apply(graph, QuantizationConfig.ofPreset("imx500")))
                .isSameAs(graph);
        assertThat(IntegerBranches.apply(graph, QuantizationConfig.ofPreset("tensorrt")))
                .isSameAs(graph);
    }

    /** x, its norm n, two layers that read n, and the sum of the second one's output and n. */
    private static Graph stream() {
        return new GraphBuilder(17)
                .input("x", -1, 5, 6)
                .weight("g", 6)
                .weight("w3", 6, 9)
                .weight("w4", 9, 6)
                .weight("w5", 6, 6)
                .node("LayerNormalization", "x g", "n")
                .node("MatMul", "n w3", "p")
                .node("Relu", "p", "r")
                .node("MatMul", "r w4", "d")
                .node("MatMul", "n w5", "e")
                .node("Add", "d e", "f")
                .node("Add", "f n", "out")
                .build();
    }
}
