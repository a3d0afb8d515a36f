package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.SamplePlace;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class SamplePlacesTest {
    private static final int FEATURES = 6;

    /** Positions before samples, both in one dimension either way round, samples shared with heads, and samples that mix. */
    private static Graph graph(int positions) {
        return new GraphBuilder(13)
                .input("x", -1, positions, FEATURES)
                .weight("w", FEATURES, FEATURES)
                .longs("rows", -1, FEATURES)
                .longs("heads", positions, -1, FEATURES / 2)
                .node("MatMul", "x w", "plain")
                .node("Reshape", "plain rows", "samplesThenPositions")
                .node("Transpose", "plain", "positionsFirst", "perm", new long[] {1, 0, 2})
                .node("Reshape", "positionsFirst rows", "positionsThenSamples")
                .node("Reshape", "positionsFirst heads", "samplesThenHeads")
                .node("ReduceMean", "plain", "mixed", "axes", new long[] {0}, "keepdims", 1)
                .node("Add", "plain mixed", "out")
                .build();
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void samplesAreFoundWhereverTheyLie(int positions) {
        Graph graph = graph(positions);
        Set<String> tensors = Set.of(
                "plain", "samplesThenPositions", "positionsFirst", "positionsThenSamples", "samplesThenHeads", "mixed");
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu())) {
            SampleBatch batch = new SampleBatch(0, 3, Map.of("x", Models.random(5, 3, positions, FEATURES)), null);

            Map<String, SamplePlace> places = SamplePlaces.find(executor, tensors, batch);

            assertThat(places)
                    .containsOnly(
                            Map.entry("positionsFirst", new SamplePlace(1, false)),
                            Map.entry("positionsThenSamples", new SamplePlace(0, true)),
                            Map.entry("samplesThenHeads", new SamplePlace(1, false)));
        }
    }

    @Test
    void samplesThatAreEqualTellNothing() {
        try (GraphExecutor executor = new GraphExecutor(graph(3), Device.cpu())) {
            SampleBatch one = new SampleBatch(0, 1, Map.of("x", Models.random(5, 1, 3, FEATURES)), null);

            assertThat(SamplePlaces.find(executor, Set.of("positionsFirst"), one))
                    .isEmpty();
        }
    }

    @Test
    void samplesComeToTheFrontWithTheirElementsInOrder() {
        int samples = 2;
        int positions = 3;
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            // Element 100 s + 10 p + f of sample s.
            NDArray first = scope.create(new float[] {0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121})
                    .reshape(samples, positions, 2);
            NDArray positionsFirst = first.swapAxes(0, 1);
            NDArray rows = positionsFirst.reshape(positions * samples, 2);
            NDArray sampleRows = first.reshape(samples * positions, 2);

            assertThat(SamplePlaces.first(first, samples, null)).isSameAs(first);
            assertSame(SamplePlaces.first(sampleRows, samples, null), first);
            assertSame(SamplePlaces.first(positionsFirst, samples, new SamplePlace(1, false)), first);
            assertSame(SamplePlaces.first(rows, samples, new SamplePlace(0, true)), first);
            NDArray heads = positionsFirst.reshape(positions, samples * 2, 1);
            NDArray apart = SamplePlaces.first(heads, samples, new SamplePlace(1, false));
            assertThat(apart.getShape()).isEqualTo(new Shape(samples, positions, 2, 1));
            assertThat(apart.toFloatArray()).containsExactly(first.toFloatArray());
        }
    }

    private static void assertSame(NDArray actual, NDArray expected) {
        assertThat(actual.getShape()).isEqualTo(expected.getShape());
        assertThat(actual.toFloatArray()).containsExactly(expected.toFloatArray());
    }
}
