package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.graph.Graph;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.train.DistillationLoss;
import dev.gptq.train.DistillationLosses;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/** What the backward pass reads must still be there when the garbage collector has run since the forward pass. */
class GradientMemoryTest {
    private static final int SCRIBBLES = 20_000;
    private static final int SCALAR_BYTES = 4;
    private static final byte SCRIBBLE = 0x7f;

    static Stream<Graph> operatorsWithNumbers() {
        return Stream.of(
                graph("GlobalAveragePool", 2, 3, 4, 4),
                graph("HardSigmoid", 2, 3),
                graph("HardSwish", 2, 3),
                graph("ReduceMean", 2, 3, 4),
                new GraphBuilder(13)
                        .input("x", 2, 3)
                        .weight("w", 3, 4)
                        .weight("c", 4)
                        .node("Gemm", "x w c", "out", "alpha", 0.5f, "beta", 0.25f)
                        .build(),
                new GraphBuilder(13)
                        .input("x", 2, 3)
                        .scalar("low", -1)
                        .scalar("high", 1)
                        .node("Clip", "x low high", "out")
                        .build(),
                new GraphBuilder(13)
                        .input("x", 4, 3)
                        .longs("rows", 2, 0, 2)
                        .node("Gather", "x rows", "out")
                        .build());
    }

    @ParameterizedTest
    @MethodSource("operatorsWithNumbers")
    void anOperatorsGradientSurvivesGarbageCollection(Graph graph) {
        assertThat(gradient(graph, true)).containsExactly(gradient(graph, false));
    }

    @Test
    void aLosssGradientSurvivesGarbageCollection() {
        assertThat(lossGradient(true)).containsExactly(lossGradient(false));
    }

    private static Graph graph(String opType, long... shape) {
        return new GraphBuilder(13).input("x", shape).node(opType, "x", "out").build();
    }

    private static float[] gradient(Graph graph, boolean collect) {
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            long[] shape = graph.inputs().get(0).shape();
            NDArray x = Autograd.leaf(Engines.toArray(scope, Models.random(7, shape)));
            NDArray out = executor.run(scope, Map.of("x", x), TensorHook.NONE, Set.of())
                    .get("out");
            return backward(out, x, collect);
        }
    }

    private static float[] lossGradient(boolean collect) {
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray student = Autograd.leaf(Engines.toArray(scope, Models.random(1, 4, 3)));
            NDArray teacher = Engines.toArray(scope, Models.random(2, 4, 3));
            DistillationLoss.Context context =
                    new DistillationLoss.Context(new float[] {2}, null, 1, new double[] {100}, 4, 8);
            NDArray share = DistillationLosses.of(GradientPTQConfig.MULTIPLE_TENSORS_MSE)
                    .share(List.of(student), List.of(teacher), context);
            return backward(share, student, collect);
        }
    }

    private static float[] backward(NDArray output, NDArray leaf, boolean collect) {
        if (collect) {
            collectAndScribble();
        }
        Autograd.backward(output, null, false);
        return Autograd.gradient(leaf).toFloatArray();
    }

    /** Frees unreachable direct buffers and writes over memory of their size. */
    private static void collectAndScribble() {
        List<ByteBuffer> scribbles = new ArrayList<>();
        for (int round = 0; round < 3; round++) {
            System.gc();
            try {
                // The collector's reference handler frees the buffers on a thread of its own.
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            for (int i = 0; i < SCRIBBLES; i++) {
                ByteBuffer buffer = ByteBuffer.allocateDirect(SCALAR_BYTES);
                for (int b = 0; b < SCALAR_BYTES; b++) {
                    buffer.put(SCRIBBLE);
                }
                scribbles.add(buffer);
            }
        }
        assertThat(scribbles).hasSize(3 * SCRIBBLES);
    }
}
