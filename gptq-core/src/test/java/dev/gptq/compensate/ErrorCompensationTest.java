package dev.gptq.compensate;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class ErrorCompensationTest {
    private static final double DAMPING = 0.01;

    @ParameterizedTest
    @EnumSource
    void momentsGiveTheEnergyOfEveryOutput(CompensatedLayers layer) {
        SampleBatch samples = layer.samples(1);
        float[] moments = layer.moments(samples).sums().get("w");
        KernelMatrix matrix = layer.group().first();
        float[] kernel = layer.kernel().floats();

        double[] energy = layer.energy(samples, kernel);

        for (int group = 0; group < matrix.groups(); group++) {
            for (int output = 0; output < matrix.outputs(); output++) {
                double form = 0;
                for (int i = 0; i < matrix.depth(); i++) {
                    for (int j = 0; j < matrix.depth(); j++) {
                        form += (double) kernel[matrix.position(group, i, output)]
                                * moments[(group * matrix.depth() + i) * matrix.depth() + j]
                                * kernel[matrix.position(group, j, output)];
                    }
                }
                double expected = energy[group * matrix.outputs() + output];
                assertThat(form).isCloseTo(expected, within(1e-4 * expected));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void outputsAreCloserThanThoseOfRoundingToNearest(CompensatedLayers layer) {
        SampleBatch samples = layer.samples(1);

        TensorData start = start(layer, layer.moments(samples).sums().get("w"));

        SampleBatch others = layer.samples(2);
        double nearest = error(layer, others, layer.rounded(layer.kernel()));
        double compensated = error(layer, others, layer.rounded(start));
        assertThat(compensated).isLessThan(0.8 * nearest);
    }

    private static double error(CompensatedLayers layer, SampleBatch samples, TensorData rounded) {
        float[] difference = rounded.floats().clone();
        for (int i = 0; i < difference.length; i++) {
            difference[i] -= layer.kernel().floats()[i];
        }
        return Arrays.stream(layer.energy(samples, difference)).sum();
    }

    @ParameterizedTest
    @EnumSource
    void everyWeightStartsBetweenItsGridPointAndWhereItWasRoundedFrom(CompensatedLayers layer) {
        TensorData start = start(layer, layer.moments(layer.samples(1)).sums().get("w"));

        float[] rounded = layer.rounded(start).floats();
        double step = layer.threshold() / (1 << (CompensatedLayers.BITS - 1));
        for (int i = 0; i < rounded.length; i++) {
            assertThat((double) start.floats()[i]).isCloseTo(rounded[i], within(0.3 * 0.49 * step + 1e-6));
        }
    }

    @Test
    void withoutCorrelationEveryWeightIsRoundedToNearest() {
        CompensatedLayers layer = CompensatedLayers.MATRIX_PRODUCT;
        float[] moments = new float[12 * 12];
        for (int i = 0; i < 12; i++) {
            moments[i * 12 + i] = 1 + i;
        }

        TensorData start = start(layer, moments);

        assertThat(layer.rounded(start).floats())
                .containsExactly(layer.rounded(layer.kernel()).floats());
    }

    @Test
    void theSecondOfTwoEqualInputsMakesUpForTheFirst() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 2)
                .constant("w", TensorData.ofFloats(new float[] {0.4f, 0.4f}, 2, 1))
                .node("MatMul", "x w", "y")
                .output("y", ElementType.FLOAT32)
                .build();
        // Steps of 1: both weights alone go to 0; x (0.4 + 0.4) is closer to x (0 + 1).
        QuantizationPlan plan = PlanOfOne.symmetric(graph, 4, 8);

        KernelGroup group = KernelGroup.of(graph, plan.points()).get(0);
        TensorData start = ErrorCompensation.starts(graph, plan, group, new float[] {1, 1, 1, 1}, 1e-6)
                .get("w");

        assertThat(plan.weights().get(0).grid().quantize(start.floats(), start.shape()))
                .containsExactly(0, 1);
    }

    @Test
    void whatNothingReachesStaysAsItIs() {
        CompensatedLayers layer = CompensatedLayers.GEMM;

        TensorData start = start(layer, new float[12 * 12]);

        assertThat(start.floats()).containsExactly(layer.kernel().floats());
    }

    @Test
    void transposedConvolutionsAndProductsOfSeveralMatricesAreLeftOut() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 2, 4, 4)
                .weight("w", 2, 3, 2, 2)
                .weight("v", 3, 5, 6)
                .node("ConvTranspose", "x w", "c")
                .node("MatMul", "c v", "y")
                .output("y", ElementType.FLOAT32)
                .build();

        assertThat(ComparePoints.of(graph)).hasSize(2);
        assertThat(KernelGroup.of(graph, ComparePoints.of(graph))).isEmpty();
    }

    private static TensorData start(CompensatedLayers layer, float[] moments) {
        return ErrorCompensation.starts(layer.graph, layer.plan(), layer.group(), moments, DAMPING)
                .get("w");
    }
}
