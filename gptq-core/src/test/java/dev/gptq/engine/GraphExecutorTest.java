package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class GraphExecutorTest {
    private final Graph graph = new GraphBuilder(13)
            .input("x", -1, 2)
            .constant("c", TensorData.ofFloats(new float[] {10, 20}, 2))
            .node("Relu", "x", "r")
            .node("Neg", "r", "n")
            .node("Add", "n c", "out")
            .build();
    private GraphExecutor executor;
    private NDManager scope;

    @BeforeEach
    void open() {
        executor = new GraphExecutor(graph, Device.cpu());
        scope = Engines.newScope(Device.cpu());
    }

    @AfterEach
    void close() {
        scope.close();
        executor.close();
    }

    /** DJL hands out the array in which it keeps a shape: operators that write to it would change their input. */
    @Test
    void operatorsThatChangeADimensionLeaveTheirInputAsItIs() {
        Graph gathering = new GraphBuilder(13)
                .input("x", -1, 2)
                .constant("table", Models.random(1, 5, 4))
                .constant("rows", TensorData.ofLongs(ElementType.INT64, new long[] {4, 1, 0}, 3))
                .node("MatMul", "x w", "h")
                .constant("w", Models.random(2, 2, 4))
                .node("Gather", "table rows", "picked")
                .node("Gather", "table rows", "again")
                .node("Add", "picked again", "sum")
                .node("ReduceSum", "sum", "total")
                .node("Add", "h total", "out")
                .build();
        try (GraphExecutor twice = new GraphExecutor(gathering, Device.cpu())) {
            float[] first = twice.run(scope, Map.of("x", x()), TensorHook.NONE)
                    .get("out")
                    .toFloatArray();
            assertThat(twice.run(scope, Map.of("x", x()), TensorHook.NONE)
                            .get("out")
                            .toFloatArray())
                    .isEqualTo(first);
        }
    }

    @Test
    void hookSeesInputsAndNodeOutputsInOrderAndReplacesThem() {
        List<String> seen = new ArrayList<>();
        NDArray out = executor.run(scope, Map.of("x", x()), (tensor, value) -> {
                    seen.add(tensor);
                    return tensor.equals("r") ? value.mul(100) : value;
                })
                .get("out");

        assertThat(seen).containsExactly("x", "r", "n", "out");
        assertThat(out.toFloatArray()).containsExactly(10 - 100, 20 - 200, 10, 20 - 400);
    }

    @Test
    void constantsCanBeReplacedForOneCall() {
        Map<String, NDArray> feeds = Map.of("x", x(), "c", scope.create(new float[] {1, 2}));

        assertThat(executor.run(scope, feeds, TensorHook.NONE).get("out").toFloatArray())
                .containsExactly(0, 0, 1, -2);
        assertThat(executor.run(scope, Map.of("x", x()), TensorHook.NONE)
                        .get("out")
                        .toFloatArray())
                .containsExactly(9, 18, 10, 16);
    }

    @Test
    void onlyKeptTensorsAndOutputsStayOpen() {
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        NDArray x = x();
        NDArray out = executor.run(
                        scope,
                        Map.of("x", x),
                        (tensor, value) -> {
                            arrays.put(tensor, value);
                            return value;
                        },
                        Set.of("n"))
                .get("out");

        assertThat(arrays.get("r").isReleased()).isTrue();
        assertThat(arrays.get("n").isReleased()).isFalse();
        assertThat(x.isReleased()).isFalse();
        assertThat(out.isReleased()).isFalse();
    }

    @Test
    void resultsBelongToTheCallersScopeWhateverScopeTheirInputsCameFrom() {
        Map<String, NDArray> outputs;
        try (NDManager inner = Engines.newScope(Device.cpu())) {
            outputs = executor.run(inner, Map.of("x", x()), TensorHook.NONE);
        }

        assertThat(outputs.get("out").isReleased()).isTrue();
    }

    @Test
    void aFeedOfTheWrongShapeTypeOrNameIsRefusedBeforeNativeCodeSeesIt() {
        assertRefused(Map.of("x", scope.create(new float[] {1, 2})), "input 'x' is FLOAT32[-1, 2]");
        assertRefused(Map.of("x", x().reshape(1, 4)), "input 'x'");
        assertRefused(Map.of("x", scope.create(new long[][] {{1, 2}})), "int64");
        assertRefused(Map.of(), "input 'x' is missing");
        assertRefused(Map.of("x", x(), "y", x()), "no input or constant 'y'");
        assertRefused(Map.of("x", x(), "c", scope.create(new float[] {1})), "constant 'c'");
    }

    @Test
    void aNodeThatDoesNotFitItsInputIsNamed() {
        Graph broken = new GraphBuilder(13)
                .input("x", -1, 2)
                .weight("w", 3, 4)
                .node("MatMul", "x w", "out")
                .build();
        try (GraphExecutor failing = new GraphExecutor(broken, Device.cpu())) {
            assertThatThrownBy(() -> failing.run(scope, Map.of("x", x()), TensorHook.NONE))
                    .isInstanceOf(GptqException.class)
                    .hasMessageStartingWith("Cannot run node 'out' (MatMul) on inputs of shapes (2, 2), (3, 4)");
        }
    }

    @ParameterizedTest
    @EnumSource(ElementType.class)
    void tensorsSurviveTheWayToTheEngineAndBack(ElementType type) {
        TensorData tensor =
                switch (type) {
                    case FLOAT32 -> TensorData.ofFloats(new float[] {1.5f, -2}, 2, 1);
                    case FLOAT64 -> TensorData.ofDoubles(new double[] {1.5, -2}, 2, 1);
                    case BOOL -> TensorData.ofLongs(type, new long[] {1, 0}, 2, 1);
                    case UINT8, UINT16, UINT32, UINT64 -> TensorData.ofLongs(type, new long[] {1, 255}, 2, 1);
                    default -> TensorData.ofLongs(type, new long[] {1, -128}, 2, 1);
                };

        TensorData back = Engines.toTensor(Engines.toArray(scope, tensor), type);

        assertThat(back).usingRecursiveComparison().isEqualTo(tensor);
    }

    private NDArray x() {
        return scope.create(new float[][] {{1, 2}, {-3, 4}});
    }

    private void assertRefused(Map<String, NDArray> feeds, String part) {
        assertThatThrownBy(() -> executor.run(scope, feeds, TensorHook.NONE))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT))
                .hasMessageContaining(part);
    }
}
