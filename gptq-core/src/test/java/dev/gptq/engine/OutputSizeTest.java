package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
import dev.gptq.testing.GraphBuilder;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** A small model can ask for more memory than there is; it must be refused, not tried. */
class OutputSizeTest {
    private static final int LARGE = 1 << 20;

    static Stream<Graph> smallModelsWithLargeConstants() {
        return Stream.of(
                constants()
                        .longs("s", LARGE, LARGE)
                        .node("ConstantOfShape", "s", "out")
                        .build(),
                constants()
                        .weight("w", 1, 1)
                        .longs("s", LARGE, LARGE)
                        .node("Expand", "w s", "out")
                        .build(),
                constants()
                        .weight("w", 2, 2)
                        .longs("s", LARGE, LARGE)
                        .node("Tile", "w s", "out")
                        .build(),
                constants()
                        .scalar("from", 0)
                        .scalar("to", 1e12f)
                        .scalar("by", 1)
                        .node("Range", "from to by", "out")
                        .build(),
                constants()
                        .weight("w", 1, 1)
                        .longs("s", 0, LARGE, LARGE, 0)
                        .node("Pad", "w s", "out")
                        .build(),
                constants()
                        .weight("w", 1 << 15, 1)
                        .weight("v", 1 << 15)
                        .node("Mul", "w v", "out")
                        .build(),
                constants()
                        .weight("w", 1 << 15, 1)
                        .weight("v", 1, 1 << 15)
                        .node("MatMul", "w v", "out")
                        .build());
    }

    private static GraphBuilder constants() {
        return new GraphBuilder(13);
    }

    @ParameterizedTest
    @MethodSource("smallModelsWithLargeConstants")
    void whatConstantsMakeIsBounded(Graph graph) {
        GptqException failure = catchThrowableOfType(GptqException.class, () -> run(graph));

        assertThat(failure.code()).isEqualTo(ErrorCode.UNSUPPORTED_MODEL);
        assertThat(failure)
                .hasMessageContainingAll(
                        graph.nodes().get(0).name(), graph.nodes().get(0).opType(), "more than 134217728");
    }

    @Test
    void whatIsSmallIsComputed() {
        Graph graph = constants()
                .weight("w", 1, 3)
                .longs("s", 2, 3)
                .node("Expand", "w s", "out")
                .build();

        assertThat(run(graph)).isEqualTo(6);
    }

    private static long run(Graph graph) {
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            return executor.run(scope, Map.of(), TensorHook.NONE).get("out").size();
        }
    }
}
