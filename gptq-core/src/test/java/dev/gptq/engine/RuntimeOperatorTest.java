package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.GptqException;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Nodes that ONNX Runtime runs for the engine. */
class RuntimeOperatorTest {
    private static final Graph MODULO = new GraphBuilder(13)
            .input("x", 3)
            .constant("c", TensorData.ofFloats(new float[] {2, 3, 4}, 3))
            .node("Mod", "x c", "out", "fmod", 1)
            .build();

    @Test
    void aConstantThatIsReplacedForOneRunIsReplacedThereToo() {
        assertThat(RuntimeNodes.of(MODULO)).containsExactly("out");
        try (GraphExecutor executor = new GraphExecutor(MODULO, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            NDArray x = scope.create(new float[] {5, 5, -5});
            NDArray five = scope.create(new float[] {5, 5, 5});

            assertThat(run(executor, scope, Map.of("x", x))).containsExactly(1, 2, -1);
            assertThat(run(executor, scope, Map.of("x", x, "c", five))).containsExactly(0, 0, -0.0f);
            assertThat(run(executor, scope, Map.of("x", x))).containsExactly(1, 2, -1);
        }
    }

    @Test
    void integersThatPyTorchLacksKeepTheirTypeThere() {
        Graph graph = new GraphBuilder(13)
                .input("x", ElementType.UINT16, 2)
                .constant("c", TensorData.ofLongs(ElementType.UINT16, new long[] {7, 7}, 2))
                .node("Mod", "x c", "m")
                .node("Cast", "m", "out", "to", ElementType.INT16.onnxCode())
                .output("out", ElementType.INT16)
                .build();
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            TensorData input = TensorData.ofLongs(ElementType.UINT16, new long[] {65535, 8}, 2);
            NDArray out = executor.run(scope, Map.of("x", Engines.toArray(scope, input)), TensorHook.NONE)
                    .get("out");

            assertThat(Engines.toTensor(out, ElementType.INT16).longs()).containsExactly(65535 % 7, 1);
        }
    }

    @Test
    void severalThreadsShareItsSession() {
        try (GraphExecutor executor = new GraphExecutor(MODULO, Device.cpu())) {
            boolean same = IntStream.range(0, 200).parallel().allMatch(i -> {
                try (NDManager scope = Engines.newScope(Device.cpu())) {
                    float[] out = run(executor, scope, Map.of("x", scope.create(new float[] {i, i, i})));
                    return out[0] == i % 2 && out[1] == i % 3 && out[2] == i % 4;
                }
            });

            assertThat(same).isTrue();
        }
    }

    /** Either ends the whole process in ONNX Runtime 1.23. */
    @Test
    void anIndexOutOfRangeIsAnErrorAndNotTheEndOfTheProcess() {
        assertThat(regions(1)).containsExactly(5, 6, 7, 8);
        assertThatThrownBy(() -> regions(2))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("holds the index 2, and there are 2 samples");
        assertThatThrownBy(() -> regions(-1))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("holds the index -1");

        assertThat(unpooled("", 3)).containsExactly(0, 0, 0, 9);
        assertThatThrownBy(() -> unpooled("", 4))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("holds the index 4, and there are 4 elements");
        assertThat(unpooled("s", 8)).containsExactly(0, 0, 0, 0, 0, 0, 0, 0, 9);
        assertThatThrownBy(() -> unpooled("s", 9))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("there are 9 elements");
    }

    /** Each pixel of one 2x2 sample of two, by a region with one bin for each. */
    private static float[] regions(long sample) {
        Graph graph = new GraphBuilder(16)
                .input("x", 2, 1, 2, 2)
                .constant("r", TensorData.ofFloats(new float[] {0, 0, 2, 2}, 1, 4))
                .input("n", ElementType.INT64, 1)
                .node("RoiAlign", "x r n", "out", "output_height", 2, "output_width", 2, "sampling_ratio", 1)
                .build();
        return run(
                graph,
                Map.of(
                        "x", TensorData.ofFloats(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 2, 1, 2, 2),
                        "n", TensorData.ofLongs(ElementType.INT64, new long[] {sample}, 1)));
    }

    /** The value 9 at that place of a 2x2 output, or one of the shape s. */
    private static float[] unpooled(String shape, long index) {
        Graph graph = new GraphBuilder(13)
                .input("x", 1, 1, 1, 1)
                .input("i", ElementType.INT64, 1, 1, 1, 1)
                .constant("s", TensorData.ofLongs(ElementType.INT64, new long[] {1, 1, 3, 3}, 4))
                .node(
                        "MaxUnpool",
                        ("x i " + shape).trim(),
                        "out",
                        "kernel_shape",
                        new long[] {2, 2},
                        "strides",
                        new long[] {2, 2})
                .build();
        return run(
                graph,
                Map.of(
                        "x", TensorData.ofFloats(new float[] {9}, 1, 1, 1, 1),
                        "i", TensorData.ofLongs(ElementType.INT64, new long[] {index}, 1, 1, 1, 1)));
    }

    private static float[] run(Graph graph, Map<String, TensorData> inputs) {
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            Map<String, NDArray> feeds = Engines.toArrays(scope, inputs);
            return run(executor, scope, feeds);
        }
    }

    private static float[] run(GraphExecutor executor, NDManager scope, Map<String, NDArray> feeds) {
        return executor.run(scope, feeds, TensorHook.NONE).get("out").toFloatArray();
    }
}
