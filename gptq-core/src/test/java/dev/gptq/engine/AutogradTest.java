package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class AutogradTest {
    @Test
    void aLeafWithoutPartInTheResultHasAZeroGradient() {
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray leaf = Autograd.leaf(scope.ones(new Shape(3)));
            assertThat(Autograd.gradient(leaf).toFloatArray()).containsExactly(0, 0, 0);
        }
    }

    @Test
    void gradientsAddUpInTheirLeaf() {
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray leaf = Autograd.leaf(scope.create(new float[] {1, 2}));
            NDArray square = leaf.mul(leaf);
            Autograd.backward(square, null, true);
            Autograd.backward(square, scope.create(new float[] {10, 0}), false);
            assertThat(Autograd.gradient(leaf).toFloatArray()).containsExactly(22, 4);
        }
    }

    @Test
    void severalOutputsAreDifferentiatedAtOnceWithRespectToAnyPartOfTheirHistory() {
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray leaf = Autograd.leaf(scope.create(new float[] {1, 2}));
            NDArray apart = Autograd.leaf(scope.create(new float[] {5}));
            NDArray square = leaf.mul(leaf);
            NDArray fourth = square.mul(square);
            List<NDArray> outputs = List.of(square, fourth);
            List<NDArray> directions = List.of(scope.create(new float[] {10, 0}), scope.create(new float[] {1, 100}));
            for (boolean keepGraph : new boolean[] {true, false}) {
                try (NDList gradients =
                        Autograd.gradients(outputs, directions, List.of(leaf, square, apart), keepGraph)) {
                    // d(10 x^2 + y^4 + ...): 2x * 10 + 4x^3 * 1 and 4x^3 * 100; for the square 10 + 2s and 100 * 2s.
                    assertThat(gradients.get(0).toFloatArray()).containsExactly(24, 3200);
                    assertThat(gradients.get(1).toFloatArray()).containsExactly(12, 800);
                    assertThat(gradients.get(2).toFloatArray()).containsExactly(0);
                }
            }
            assertThat(Autograd.gradient(leaf).toFloatArray()).containsExactly(0, 0);
        }
    }

    @Test
    void pausedAndDetachedComputationsAreNotRecorded() {
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray leaf = Autograd.leaf(scope.create(new float[] {3}));
            NDArray paused;
            try (Autograd.Recording pause = Autograd.pause()) {
                paused = leaf.mul(5);
            }
            NDArray result = leaf.mul(2).add(paused).add(Autograd.detach(leaf.mul(7)));
            Autograd.backward(result, null, false);
            assertThat(result.toFloatArray()).containsExactly(42);
            assertThat(Autograd.gradient(leaf).toFloatArray()).containsExactly(2);
        }
    }

    @Test
    void conversionsBetweenRealTypesHaveAGradient() {
        Graph graph = new GraphBuilder(15)
                .input("x", 2)
                .constant("squared", TensorData.ofDoubles(new double[] {2, 2}, 2))
                .node("Cast", "x", "d", "to", ElementType.FLOAT64.onnxCode())
                .node("CastLike", "d x", "f")
                .node("Pow", "f squared", "out")
                .build();
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray x = Autograd.leaf(scope.create(new float[] {3, -5}));
            Autograd.backward(
                    executor.run(scope, Map.of("x", x), TensorHook.NONE).get("out"), null, false);
            assertThat(Autograd.gradient(x).toFloatArray()).containsExactly(6, -10);
        }
    }

    @Test
    void threadsDifferentiateOneExecutorAtOnceToTheSameBits() throws Exception {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 3, 12, 12)
                .weight("w", 8, 3, 3, 3)
                .weight("b", 8)
                .node("Conv", "x w b", "c", "pads", new long[] {1, 1, 1, 1})
                .node("Relu", "c", "r")
                .node("GlobalAveragePool", "r", "out")
                .build();
        TensorData x = Models.random(6, 4, 3, 12, 12);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu())) {
            float[] expected = weightGradient(executor, x);
            List<Future<float[]>> futures = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                futures.add(threads.submit(() -> weightGradient(executor, x)));
            }
            for (Future<float[]> future : futures) {
                assertThat(future.get()).isEqualTo(expected);
            }
        } finally {
            threads.shutdown();
        }
    }

    private static float[] weightGradient(GraphExecutor executor, TensorData x) {
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray weight = Autograd.leaf(
                    Engines.toArray(scope, executor.graph().constants().get("w")));
            Map<String, NDArray> outputs =
                    executor.run(scope, Map.of("x", Engines.toArray(scope, x), "w", weight), TensorHook.NONE, Set.of());
            Autograd.backward(outputs.get("out"), null, false);
            return Autograd.gradient(weight).toFloatArray();
        }
    }
}
