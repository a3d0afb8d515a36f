package dev.gptq.mixedprecision;

import ai.djl.Device;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.BlockStatistics;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.StatisticsCollector;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.MixedPrecisionConfig;
import dev.gptq.config.MixedPrecisionConfig.Budget;
import dev.gptq.config.MixedPrecisionConfig.Sensitivity;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.CalibrationImages;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.M1;
import dev.gptq.testing.Models;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class SensitivityTest {
    private static final int SAMPLES = 4;

    /** Both kernels' effects on y = (x W1 + b1) W2 are linear, so both ways give |change of y|^2 of the rounded kernel. */
    @Test
    void bothMeasuresAreTheSquaredChangeOfALinearModelsOutputs() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 5)
                .weight("w1", 5, 7)
                .weight("b1", 7)
                .weight("w2", 7, 3)
                .node("MatMul", "x w1", "product")
                .node("Add", "product b1", "hidden")
                .node("MatMul", "hidden w2", "out")
                .build();
        for (Sensitivity sensitivity : Sensitivity.values()) {
            Measured measured = measure(graph, sensitivity, x(), true);

            SensitivitySums sums = measured.sums;
            assertThat(sums.samples()).isEqualTo(SAMPLES);
            double energy = 0;
            for (float value : output(graph, Map.of())) {
                energy += (double) value * value;
            }
            assertThat(sums.energy()).isCloseTo(energy, Offset.offset(1e-4 * energy));
            for (int kernel = 0; kernel < 2; kernel++) {
                for (int choice = 0; choice < 3; choice++) {
                    double expected = change(
                            graph, measured.candidates.kernels().get(kernel).get(choice));
                    assertThat(sums.kernels()[kernel][choice]).isCloseTo(expected, Offset.offset(1e-3 * expected));
                }
                assertThat(sums.kernels()[kernel][0]).isGreaterThan(sums.kernels()[kernel][2]);
            }
            assertThat(sums.multiplications()).containsExactly(SAMPLES * 35, SAMPLES * 21);
            assertThat(sums.values()).containsExactly(SAMPLES * 5, SAMPLES * 7, SAMPLES * 3);
        }
    }

    @Test
    void aTableOfEmbeddingsIsMeasuredAndMultipliesNothing() {
        Graph graph = new GraphBuilder(13)
                .input("ids", ElementType.INT64, -1, 2)
                .weight("table", 5, 4)
                .weight("w", 4, 3)
                .node("Gather", "table ids", "rows")
                .node("MatMul", "rows w", "out")
                .build();
        TensorData ids = TensorData.ofLongs(ElementType.INT64, new long[] {0, 1, 2, 3, 4, 0, 1, 1}, SAMPLES, 2);
        for (Sensitivity sensitivity : Sensitivity.values()) {
            SensitivitySums sums = measure(graph, sensitivity, ids, true).sums;

            assertThat(sums.multiplications()).containsExactly(0, SAMPLES * 2 * 4 * 3);
            assertThat(sums.kernels()[0][0]).isGreaterThan(sums.kernels()[0][2]).isPositive();
        }
    }

    @Test
    void eachOfSeveralMatricesIsMultipliedOnce() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 2, 7, 5)
                .weight("w", 2, 5, 3)
                .node("MatMul", "x w", "out")
                .build();

        assertThat(measure(graph, Sensitivity.OUTPUT_ERROR, Models.random(5, SAMPLES, 2, 7, 5), true)
                        .sums
                        .multiplications())
                .containsExactly(SAMPLES * 2 * 7 * 5 * 3);
    }

    @Test
    void bothMeasuresOfAnActivationAreTheSquaredChangeBehindIt() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 5)
                .weight("w", 5, 3)
                .node("MatMul", "x w", "out")
                .build();
        for (Sensitivity sensitivity : Sensitivity.values()) {
            Measured measured = measure(graph, sensitivity, x(), false);
            for (int choice = 0; choice < 2; choice++) {
                ActivationQuantizer quantizer =
                        measured.candidates.activations().get(0).get(choice).get(0);
                QuantizationGrid grid = quantizer.grid();
                float[] rounded = grid.dequantize(grid.quantize(x().floats(), x().shape()), x().shape());
                float[] after = output(graph, Map.of("x", TensorData.ofFloats(rounded, x().shape())));
                double expected = squaredDifference(after, output(graph, Map.of()));
                assertThat(quantizer.tensor()).isEqualTo("x");
                assertThat(measured.sums.activations()[0][choice]).isCloseTo(expected, Offset.offset(1e-3 * expected));
            }
        }
    }

    /** With more outputs than passes the expectation is estimated. */
    @Test
    void manyOutputsAreEstimatedByRandomVectors() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 5)
                .weight("w", 5, 400)
                .node("MatMul", "x w", "out")
                .build();
        Measured measured = measure(graph, Sensitivity.HESSIAN, x(), true);

        for (int choice = 0; choice < 3; choice++) {
            double expected = change(graph, measured.candidates.kernels().get(0).get(choice));
            // A nearly normal variable's square deviates by sqrt(2) of its mean.
            double deviation = expected * Math.sqrt(2.0 / (SAMPLES * HessianSensitivity.PASSES));
            assertThat(measured.sums.kernels()[0][choice]).isCloseTo(expected, Offset.offset(5 * deviation));
        }
    }

    /** At 8 bits errors are small enough for the first order to be right in a real network. */
    @Test
    void theMeasuresAgreeOnM1() {
        Graph graph = M1.graph();
        TensorData images = CalibrationImages.batch(0, SAMPLES).inputs().get("input");

        double[][] estimated =
                measure(graph, Sensitivity.HESSIAN, images, true).sums.kernels();
        double[][] measured =
                measure(graph, Sensitivity.OUTPUT_ERROR, images, true).sums.kernels();

        for (int layer = 0; layer < M1.LAYERS.size(); layer++) {
            assertThat(estimated[layer][2]).isCloseTo(measured[layer][2], Offset.offset(0.2 * measured[layer][2]));
        }
    }

    private record Measured(CandidateQuantizers candidates, SensitivitySums sums) {}

    private static TensorData x() {
        return Models.random(3, SAMPLES, 5);
    }

    private static Measured measure(Graph graph, Sensitivity sensitivity, TensorData samples, boolean weights) {
        MixedPrecisionConfig mixed = MixedPrecisionConfig.builder()
                .setBudget(weights ? Budget.ofWeightsBits(4) : new Budget(null, null, 6.0, null))
                .optActivationsBits(List.of(4, 8))
                .build();
        QuantizationConfig config = QuantizationConfig.defaults().withMixedPrecision(mixed);
        String input = graph.inputs().get(0).name();
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu())) {
            SampleBatch all = new SampleBatch(0, SAMPLES, Map.of(input, samples), null);
            BlockStatistics statistics = new StatisticsCollector(executor).collect(all);
            BitChoices choices = BitChoices.of(graph, config);
            CandidateQuantizers candidates = CandidateQuantizers.of(graph, statistics, config, Map.of(), choices);
            try (SensitivityMeasure measure = SensitivityMeasure.of(sensitivity, executor, choices, candidates, 0)) {
                int size = SensitivityMeasure.blockSize(sensitivity) == 1 ? 1 : SAMPLES;
                SensitivitySums sums = null;
                for (int first = 0; first < SAMPLES; first += size) {
                    SensitivitySums block = measure.of(part(all, first, size));
                    sums = sums == null ? block : sums.merge(block);
                }
                return new Measured(candidates, sums);
            }
        }
    }

    private static SampleBatch part(SampleBatch all, int first, int size) {
        Map<String, TensorData> inputs = new LinkedHashMap<>();
        all.inputs().forEach((name, tensor) -> {
            int length = tensor.size() / SAMPLES;
            int from = first * length;
            int to = (first + size) * length;
            long[] shape = tensor.shape();
            shape[0] = size;
            inputs.put(
                    name,
                    tensor.type().isFloating()
                            ? TensorData.ofFloats(Arrays.copyOfRange(tensor.floats(), from, to), shape)
                            : TensorData.ofLongs(tensor.type(), Arrays.copyOfRange(tensor.longs(), from, to), shape));
        });
        return new SampleBatch(first, size, inputs, null);
    }

    /** The squared change of the outputs when the kernel is rounded and its bias corrected. */
    private static double change(Graph graph, WeightQuantizer quantizer) {
        TensorData kernel = graph.constants().get(quantizer.point().weight());
        QuantizationGrid grid = quantizer.grid();
        Map<String, TensorData> changed = new LinkedHashMap<>();
        changed.put(
                quantizer.point().weight(),
                TensorData.ofFloats(
                        grid.dequantize(grid.quantize(kernel.floats(), kernel.shape()), kernel.shape()),
                        kernel.shape()));
        if (quantizer.biasCorrection() != null) {
            float[] bias =
                    graph.constants().get(quantizer.point().bias()).floats().clone();
            for (int i = 0; i < bias.length; i++) {
                bias[i] -= (float) quantizer.biasCorrection()[i];
            }
            changed.put(quantizer.point().bias(), TensorData.ofFloats(bias, bias.length));
        }
        return squaredDifference(output(graph, changed), output(graph, Map.of()));
    }

    /** The output for {@link #x} with other values of the input or of constants. */
    private static float[] output(Graph graph, Map<String, TensorData> changed) {
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        changed.forEach((name, value) -> {
            if (!name.equals("x")) {
                constants.put(name, value);
            }
        });
        return Models.run(graph.withConstants(constants), Map.of("x", changed.getOrDefault("x", x())))
                .get("out")
                .floats();
    }

    private static double squaredDifference(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            double difference = (double) a[i] - b[i];
            sum += difference * difference;
        }
        return sum;
    }
}
