package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class AutogradTest {
    private static final float STEP = 1e-2f;

    static Stream<Arguments> differentiableOperators() {
        Map<String, Graph> cases = OperatorCases.all();
        return Stream.of(
                        "Conv: asymmetric pads",
                        "Conv: depthwise",
                        "ConvTranspose: strides, pads and output padding",
                        "ConvTranspose: groups",
                        "Gemm: alpha, beta, transA",
                        "MatMul: broadcast",
                        "AveragePool: asymmetric pads",
                        "MaxPool: ceil mode",
                        "GlobalAveragePool",
                        "GlobalMaxPool",
                        "HardSwish",
                        "Softmax",
                        "Erf",
                        "Gather: axis",
                        "Slice: backwards",
                        "Pad: negative",
                        "Concat",
                        "Transpose",
                        "ReduceMean")
                .map(name -> Arguments.of(name, cases.get(name)));
    }

    /** d/de of sum(r * f(x + e * d)) at 0 is the gradient's inner product with d, here by central differences. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("differentiableOperators")
    void gradientIsTheSlopeOfTheFunction(String name, Graph graph) {
        long[] shape = graph.inputs().get(0).shape();
        TensorData x = Models.random(3, shape);
        TensorData out = Models.run(graph, Map.of("x", x)).get("out");
        TensorData weights = Models.random(4, out.shape());
        float[] gradient = gradient(graph, x, weights);
        int checked = Math.min(12, x.size());
        Random random = new Random(5);
        for (int i = 0; i < checked; i++) {
            int element = random.nextInt(x.size());
            double above = weighted(graph, moved(x, element, STEP), weights);
            double below = weighted(graph, moved(x, element, -STEP), weights);
            double slope = (above - below) / (2 * STEP);
            assertThat((double) gradient[element]).isCloseTo(slope, within(0.02 * Math.max(1, Math.abs(slope))));
        }
    }

    @Test
    void aLeafWithoutPartInTheResultHasAZeroGradient() {
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray leaf = Autograd.leaf(scope.ones(new Shape(3)));
            assertThat(Autograd.gradient(leaf).toFloatArray()).containsExactly(0, 0, 0);
        }
    }

    @Test
    void gradientsAddUpUntilTheyAreCleared() {
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray leaf = Autograd.leaf(scope.create(new float[] {1, 2}));
            NDArray square = leaf.mul(leaf);
            Autograd.backward(square, null, true);
            Autograd.backward(square, scope.create(new float[] {10, 0}), true);
            assertThat(Autograd.gradient(leaf).toFloatArray()).containsExactly(22, 4);
            Autograd.clearGradient(leaf);
            assertThat(Autograd.gradient(leaf).toFloatArray()).containsExactly(0, 0);
            Autograd.backward(square, null, false);
            assertThat(Autograd.gradient(leaf).toFloatArray()).containsExactly(2, 4);
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

    private static float[] gradient(Graph graph, TensorData x, TensorData weights) {
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray leaf = Autograd.leaf(Engines.toArray(scope, x));
            NDArray out = executor.run(scope, Map.of("x", leaf), TensorHook.NONE, Set.of())
                    .get("out");
            Autograd.backward(out, Engines.toArray(scope, weights), false);
            return Autograd.gradient(leaf).toFloatArray();
        }
    }

    private static double weighted(Graph graph, TensorData x, TensorData weights) {
        TensorData out = Models.run(graph, Map.of("x", x)).get("out");
        double sum = 0;
        for (int i = 0; i < out.size(); i++) {
            sum += (double) out.floats()[i] * weights.floats()[i];
        }
        return sum;
    }

    private static TensorData moved(TensorData x, int element, float by) {
        float[] values = x.floats().clone();
        values[element] += by;
        return TensorData.ofFloats(values, x.shape());
    }
}
