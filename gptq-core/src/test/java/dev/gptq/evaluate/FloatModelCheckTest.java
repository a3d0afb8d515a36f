package dev.gptq.evaluate;

import ai.djl.Device;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.GraphBuilder;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class FloatModelCheckTest {
    private static final Map<String, TensorData> INPUT = Map.of("x", TensorData.ofFloats(new float[] {1, 2}, 2));

    @Test
    void theOutputThatDiffersMostIsNamed() {
        assertThatThrownBy(() -> check(scaled(1, 1), scaled(1.01f, 1.5f), INPUT))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNSUPPORTED_MODEL))
                .hasMessageStartingWith(
                        "Cannot quantize the model: output 'b' differs from ONNX Runtime's by 0.500 of");
        assertThatCode(() -> check(scaled(1, 1), scaled(1.00001f, 1), INPUT)).doesNotThrowAnyException();
    }

    /** Outputs a and b are the input times so much. */
    private static Graph scaled(float a, float b) {
        return new GraphBuilder(13)
                .input("x", 2)
                .scalar("by_a", a)
                .scalar("by_b", b)
                .node("Mul", "x by_a", "a")
                .node("Mul", "x by_b", "b")
                .output("a", ElementType.FLOAT32)
                .output("b", ElementType.FLOAT32)
                .build();
    }

    @Test
    void doublesAreComparedAndIntegersAreNot() {
        Graph graph = new GraphBuilder(13)
                .input("x", 2)
                .node("Cast", "x", "a", "to", ElementType.FLOAT64.onnxCode())
                .node("Cast", "x", "b", "to", ElementType.INT32.onnxCode())
                .output("a", ElementType.FLOAT64)
                .output("b", ElementType.INT32)
                .build();

        assertThatCode(() -> check(graph, graph, INPUT)).doesNotThrowAnyException();
    }

    @Test
    void anIndexThatEndsTheProcessInOnnxRuntimeIsRefusedBefore() {
        Graph graph = new GraphBuilder(16)
                .input("x", 1, 1, 2, 2)
                .input("n", ElementType.INT64, 1)
                .constant("r", TensorData.ofFloats(new float[] {0, 0, 2, 2}, 1, 4))
                .node("RoiAlign", "x r n", "out")
                .build();
        Map<String, TensorData> inputs = Map.of(
                "x", TensorData.ofFloats(new float[4], 1, 1, 2, 2),
                "n", TensorData.ofLongs(ElementType.INT64, new long[] {1}, 1));

        assertThatThrownBy(() -> check(graph, graph, inputs)).hasMessageContaining("holds the index 1");
    }

    private static void check(Graph model, Graph prepared, Map<String, TensorData> inputs) {
        try (GraphExecutor executor = new GraphExecutor(prepared, Device.cpu())) {
            FloatModelCheck.check(OnnxModel.of(OnnxWriter.write(model)), executor, new SampleBatch(0, 1, inputs, null));
        }
    }
}
