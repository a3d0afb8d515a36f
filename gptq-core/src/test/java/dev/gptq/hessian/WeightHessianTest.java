package dev.gptq.hessian;

import ai.djl.Device;
import dev.gptq.GptqException;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class WeightHessianTest {
    private static final int INPUTS = 3;
    private static final int HIDDEN = 16;
    private static final int MANY_OUTPUTS = OutputPasses.ITERATIONS + 28;

    /** y = x W: the gradient of v . y is x v^T, and v^2 = 1, so every vector gives x_i^2 exactly. */
    @Test
    void aLinearLayersHessianIsItsSquaredInput() {
        for (int outputs : new int[] {5, MANY_OUTPUTS}) {
            Graph graph = new GraphBuilder(13)
                    .input("x", -1, INPUTS)
                    .weight("w", INPUTS, outputs)
                    .node("MatMul", "x w", "out")
                    .build();
            float[] hessian = hessian(graph, sample(0), 0)[0];
            float[] x = sample(0).inputs().get("x").floats();
            for (int i = 0; i < hessian.length; i++) {
                double input = x[i / outputs];
                assertThat((double) hessian[i]).isCloseTo(input * input, Offset.offset(1e-5));
            }
        }
    }

    /** y = x W1 W2: the expectation for W1 is x_i^2 times the squared norm of row h of W2. */
    @Test
    void theExpectationIsExactWithFewOutputsAndEstimatedWithMany() {
        for (int outputs : new int[] {4, MANY_OUTPUTS}) {
            Graph graph = twoLayers(outputs);
            float[] hessian = hessian(graph, sample(0), 0)[0];
            float[] x = sample(0).inputs().get("x").floats();
            float[] second = graph.constants().get("w2").floats();
            for (int i = 0; i < hessian.length; i++) {
                double input = x[i / HIDDEN];
                double norm = 0;
                for (int output = 0; output < outputs; output++) {
                    double weight = second[i % HIDDEN * outputs + output];
                    norm += weight * weight;
                }
                double expected = input * input * norm;
                // The square of a nearly normal variable deviates by sqrt(2) of its mean; at least 11 vectors are
                // drawn.
                double tolerance =
                        outputs == MANY_OUTPUTS ? 5 * expected * Math.sqrt(2.0 / 11) : 1e-4 * expected + 1e-6;
                assertThat((double) hessian[i]).isCloseTo(expected, Offset.offset(tolerance));
            }
        }
    }

    @Test
    void aConvolutionsHessianIsTheSumOfItsSquaredDifferenceQuotients() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 2, 5, 5)
                .weight("kernel", 3, 2, 3, 3)
                .weight("classes", 3, 2)
                .node("Conv", "x kernel", "conv", "pads", new long[] {1, 1, 1, 1}, "strides", new long[] {2, 2})
                .node("GlobalAveragePool", "conv", "pool")
                .node("Flatten", "pool", "flat")
                .node("MatMul", "flat classes", "out")
                .build();
        SampleBatch sample = new SampleBatch(0, 1, Map.of("x", Models.random(1, 1, 2, 5, 5)), null);
        float[] hessian = hessian(graph, sample, 0)[0];
        float[] before = Models.run(graph, sample.inputs()).get("out").floats();
        TensorData kernel = graph.constants().get("kernel");
        for (int i = 0; i < hessian.length; i++) {
            // The outputs are linear in the kernel, so a large step is exact too.
            float[] changed = kernel.floats().clone();
            changed[i] += 1;
            Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
            constants.put("kernel", TensorData.ofFloats(changed, kernel.shape()));
            float[] after = Models.run(graph.withConstants(constants), sample.inputs())
                    .get("out")
                    .floats();
            double expected = 0;
            for (int output = 0; output < after.length; output++) {
                double quotient = after[output] - before[output];
                expected += quotient * quotient;
            }
            assertThat((double) hessian[i]).isCloseTo(expected, Offset.offset(1e-4 * expected + 1e-5));
        }
    }

    @Test
    void randomVectorsFollowFromSeedAndSampleAlone() {
        Graph graph = twoLayers(MANY_OUTPUTS);
        SampleBatch moved = new SampleBatch(1, 1, sample(0).inputs(), null);

        assertThat(hessian(graph, sample(0), 7)).isDeepEqualTo(hessian(graph, sample(0), 7));
        assertThat(hessian(graph, sample(0), 7)[0]).isNotEqualTo(hessian(graph, sample(0), 8)[0]);
        assertThat(hessian(graph, moved, 7)[0]).isNotEqualTo(hessian(graph, sample(0), 7)[0]);
    }

    @Test
    void sumsOfSamplesAreAveragedByLayer() {
        List<ComparePoint> points = ComparePoints.of(twoLayers(4));
        WeightHessian.Sums first = new WeightHessian.Sums(1, new float[][] {{1, 2}, {3}});
        WeightHessian.Sums second = new WeightHessian.Sums(1, new float[][] {{5, 4}, {0}});

        Map<String, float[]> means = first.merge(second).means(points);

        assertThat(means).containsOnlyKeys("hidden", "out");
        assertThat(means.get("hidden")).containsExactly(3, 3);
        assertThat(means.get("out")).containsExactly(1.5f);
        assertThat(first.values()[0]).containsExactly(1, 2);
    }

    @Test
    void aGradientThatIsNotFiniteNamesLayerAndSample() {
        SampleBatch bad = new SampleBatch(
                11, 1, Map.of("x", TensorData.ofFloats(new float[] {1, Float.NaN, 1}, 1, INPUTS)), null);

        assertThatThrownBy(() -> hessian(twoLayers(4), bad, 0))
                .isInstanceOf(GptqException.class)
                .hasMessageContainingAll("layer hidden", "sample 11");
    }

    private static Graph twoLayers(int outputs) {
        return new GraphBuilder(13)
                .input("x", -1, INPUTS)
                .weight("w1", INPUTS, HIDDEN)
                .weight("w2", HIDDEN, outputs)
                .node("MatMul", "x w1", "hidden")
                .node("MatMul", "hidden w2", "out")
                .build();
    }

    private static SampleBatch sample(long index) {
        return new SampleBatch(index, 1, Map.of("x", Models.random(3 + index, 1, INPUTS)), null);
    }

    private static float[][] hessian(Graph graph, SampleBatch sample, long seed) {
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu())) {
            return new WeightHessian(executor, ComparePoints.of(graph), seed)
                    .of(sample)
                    .values();
        }
    }
}
