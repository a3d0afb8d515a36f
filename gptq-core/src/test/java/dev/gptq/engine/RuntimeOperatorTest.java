package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

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

    private static float[] run(GraphExecutor executor, NDManager scope, Map<String, NDArray> feeds) {
        return executor.run(scope, feeds, TensorHook.NONE).get("out").toFloatArray();
    }
}
