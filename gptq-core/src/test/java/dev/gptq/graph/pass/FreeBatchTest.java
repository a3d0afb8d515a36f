package dev.gptq.graph.pass;

import dev.gptq.GptqException;
import dev.gptq.config.PreparationConfig;
import dev.gptq.evaluate.FreeBatchCheck;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.Closeness;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.testing.OnnxRuntime;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class FreeBatchTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aModelOfOneBatchSizeAnswersAnyNumberOfSamples(int batch) {
        Graph fixed = model(batch, batch);
        Graph free = FreeBatch.apply(fixed);

        FreeBatchCheck.check(prepared(fixed), prepared(free), "model.onnx");
        assertThat(FreeBatch.fixedInput(free)).isNull();
        TensorData samples = Models.random(3, 5L * batch, 3, 4, 4);
        TensorData together =
                OnnxRuntime.run(OnnxWriter.write(free), Map.of("x", samples)).get("out");
        assertThat(together.shape()).containsExactly(5L * batch, 6);
        byte[] file = OnnxWriter.write(fixed);
        for (int part = 0; part < 5; part++) {
            TensorData alone = OnnxRuntime.run(file, Map.of("x", rows(samples, part * batch, batch)))
                    .get("out");
            Closeness.assertClose(rows(together, part * batch, batch), alone, 1e-6);
        }
    }

    @Test
    void aDynamicModelStaysAsItIs() {
        Graph graph = OnnxReader.read(Models.bytes("m1_bn"), "m1_bn");
        assertThat(FreeBatch.apply(graph)).isSameAs(graph);
    }

    @Test
    void aModelThatMixesItsSamplesIsRefusedWithTheReason() {
        Graph mixing = new GraphBuilder(13)
                .input("x", 2, 4)
                .weight("w", 4, 6)
                .node("MatMul", "x w", "h")
                .node("ReduceSum", "h axis", "sum", "keepdims", 1)
                .constant("axis", TensorData.ofLongs(ElementType.INT64, new long[] {0}, 1))
                .node("Sub", "h sum", "out")
                .build();
        Graph reshaping = new GraphBuilder(13)
                .input("x", 2, 4)
                .weight("w", 4, 6)
                .node("MatMul", "x w", "h")
                .constant("s", TensorData.ofLongs(ElementType.INT64, new long[] {3, 4}, 2))
                .node("Reshape", "h s", "out")
                .build();

        refuses(mixing, "output 'out' of two batches at once is not that of each");
        refuses(reshaping, "twice as many samples give");
    }

    private static void refuses(Graph fixed, String reason) {
        assertThatThrownBy(() -> FreeBatchCheck.check(prepared(fixed), prepared(FreeBatch.apply(fixed)), "model.onnx"))
                .isInstanceOf(GptqException.class)
                .hasMessageStartingWith(
                        "Cannot quantize 'model.onnx': input 'x' has the fixed batch size 2, and the model"
                                + " takes no other: ")
                .hasMessageContaining(reason)
                .hasMessageEndingWith("Export the model with a dynamic batch dimension.");
    }

    /** As exporters write it: the batch size stands in the input and in the shape of a Reshape. */
    private static Graph model(int batch, int inShape) {
        return new GraphBuilder(13)
                .input("x", batch, 3, 4, 4)
                .weight("w", 5, 3, 3, 3)
                .weight("v", 20, 6)
                .node("Conv", "x w", "c")
                .constant("s", TensorData.ofLongs(ElementType.INT64, new long[] {inShape, 20}, 2))
                .node("Reshape", "c s", "r")
                .node("MatMul", "r v", "out")
                .build();
    }

    private static Graph prepared(Graph graph) {
        return GraphPreparation.prepare(graph, PreparationConfig.defaults());
    }

    private static TensorData rows(TensorData tensor, int first, int count) {
        int row = tensor.size() / (int) tensor.shape()[0];
        long[] shape = tensor.shape().clone();
        shape[0] = count;
        return TensorData.ofFloats(
                java.util.Arrays.copyOfRange(tensor.floats(), first * row, (first + count) * row), shape);
    }
}
