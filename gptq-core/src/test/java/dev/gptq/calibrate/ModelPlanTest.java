package dev.gptq.calibrate;

import ai.djl.Device;
import dev.gptq.GptqException;
import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.testing.CalibrationImages;
import dev.gptq.testing.Models;
import dev.gptq.testing.Npz;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Statistics and plan of model m1 on the calibration images, against what MCT made of the same. */
class ModelPlanTest {
    private static final Npz ORACLE = Npz.resource("/oracle/m1_info.npz");
    private static final int BLOCK = 64;
    private static final QuantizationConfig MCT_DEFAULT = QuantizationConfig.ofPreset("imx500")
            .withWeights(new QuantizationConfig.Weights(4, QuantizationMethod.SYMMETRIC, true, ThresholdMethod.MSE, 2));
    /** MCT's names of the quantized tensors, in graph order. */
    private static final List<String> MCT_NAMES = List.of("x", "relu1", "relu2", "relu3", "relu4", "gap", "fc");

    private static final List<Double> MCT_THRESHOLDS = List.of(2.0, 4.0, 4.0, 4.0, 8.0, 2.0, 16.0);
    private static final List<Boolean> MCT_SIGNED = List.of(true, false, false, false, false, false, true);
    private static final String[] LAYERS = {"conv1_bn", "conv2_bn", "conv3_bn", "conv4_bn", "fc"};

    private static Graph graph;
    private static GraphExecutor executor;
    private static BlockStatistics statistics;

    @BeforeAll
    static void collect() {
        graph = GraphPreparation.prepare(OnnxReader.read(Models.bytes("m1_bn"), "m1_bn"), PreparationConfig.defaults());
        executor = new GraphExecutor(graph, Device.cpu());
        StatisticsCollector collector = new StatisticsCollector(executor);
        for (int first = 0; first < CalibrationImages.COUNT; first += BLOCK) {
            BlockStatistics block = collector.collect(CalibrationImages.batch(first, BLOCK));
            statistics = statistics == null ? block : statistics.merge(block);
        }
    }

    @AfterAll
    static void close() {
        executor.close();
    }

    @Test
    void observedRangesAndMeansEqualMcts() {
        assertThat(statistics.samples()).isEqualTo(CalibrationImages.COUNT);
        List<String> tensors = tensors(graph);
        for (int i = 0; i < MCT_NAMES.size(); i++) {
            TensorStatistics observed = statistics.activations().get(tensors.get(i));
            double[] range = ORACLE.doubles(MCT_NAMES.get(i) + "|hist_min_max");
            assertThat((double) observed.histogram().min()).isCloseTo(range[0], Offset.offset(1e-4));
            assertThat((double) observed.histogram().max()).isCloseTo(range[1], Offset.offset(1e-4));
            double[] mean = ORACLE.doubles(MCT_NAMES.get(i) + "|mean_per_channel");
            double[] ours = observed.channels().mean();
            assertThat(ours).hasSameSizeAs(mean);
            for (int channel = 0; channel < mean.length; channel++) {
                assertThat(ours[channel]).isCloseTo(mean[channel], Offset.offset(1e-5));
            }
        }
    }

    /**
     * MCT merges the 2,048 bins of each batch by interpolation, so that its counts are right to a bin; ours are exact, in bins
     * of their own. Below each of MCT's edges it has counted at least what we have below the edge minus both bins' width, and
     * at most what we have below the edge plus both.
     */
    @Test
    void histogramsEqualMctsToTheWidthOfABin() {
        List<String> tensors = tensors(graph);
        for (int i = 0; i < MCT_NAMES.size(); i++) {
            Histogram observed = statistics.activations().get(tensors.get(i)).histogram();
            HistogramView ours = observed.view();
            double[] range = ORACLE.doubles(MCT_NAMES.get(i) + "|hist_min_max");
            double[] counts = ORACLE.doubles(MCT_NAMES.get(i) + "|hist_counts");
            double width = (range[1] - range[0]) / counts.length;
            double reach = width + ours.edges()[1] - ours.edges()[0];
            double total = java.util.Arrays.stream(ours.counts()).sum();
            // Engines differ by rounding, and a value may fall to the other side of an edge.
            double slack = 1e-5 * total;
            double below = 0;
            for (int bin = 0; bin < counts.length; bin++) {
                double edge = range[0] + bin * width;
                assertThat(below)
                        .as("values of %s below %s", MCT_NAMES.get(i), edge)
                        .isBetween(below(ours, edge - reach) - slack, below(ours, edge + reach) + slack);
                below += counts[bin];
            }
            assertThat(below).isCloseTo(total, Offset.offset(slack));
        }
    }

    /** Values in bins that end at or before {@code edge}. */
    private static double below(HistogramView histogram, double edge) {
        double sum = 0;
        for (int bin = 0; bin < histogram.counts().length && histogram.edges()[bin + 1] <= edge; bin++) {
            sum += histogram.counts()[bin];
        }
        return sum;
    }

    @Test
    void thePlanEqualsMcts() {
        QuantizationPlan plan = PlanBuilder.build(graph, statistics, MCT_DEFAULT);
        List<Double> thresholds = new ArrayList<>();
        List<Boolean> signed = new ArrayList<>();
        for (ActivationQuantizer quantizer : plan.activations()) {
            thresholds.add(quantizer.threshold());
            signed.add(quantizer.signed());
        }
        assertThat(thresholds).isEqualTo(MCT_THRESHOLDS);
        assertThat(signed).isEqualTo(MCT_SIGNED);
        for (int layer = 0; layer < LAYERS.length; layer++) {
            WeightQuantizer quantizer = plan.weights().get(layer);
            double[] threshold = ORACLE.doubles(LAYERS[layer] + "|mct_threshold_w4sym");
            double[] correction = ORACLE.doubles(LAYERS[layer] + "|bias_correction_w4sym");
            for (int channel = 0; channel < threshold.length; channel++) {
                assertThat(quantizer.threshold()[channel])
                        .isCloseTo(threshold[channel], Offset.offset(1e-5 * threshold[channel]));
                assertThat(quantizer.biasCorrection()[channel]).isCloseTo(correction[channel], Offset.offset(1e-4));
            }
        }
        assertThat(QuantizationPlan.fromJson(plan.toJson()))
                .usingRecursiveComparison()
                .isEqualTo(plan);
    }

    @Test
    void statisticsSurviveTheirFile() {
        assertThat(BlockStatistics.fromJson(statistics.toJson()))
                .usingRecursiveComparison()
                .isEqualTo(statistics);
    }

    @Test
    void roundingToNearestStaysWithinHalfAStepOfUnclippedWeights() {
        QuantizationPlan plan = PlanBuilder.build(graph, statistics, QuantizationConfig.defaults());
        for (QuantizedLayer layer : PlanBuilder.roundToNearest(graph, plan)) {
            TensorData kernel = graph.constants().get(layer.point().weight());
            float[] rounded = layer.grid().dequantize(layer.values(), kernel.shape());
            int perChannel = rounded.length / layer.grid().scale().length;
            for (int i = 0; i < rounded.length; i++) {
                int value = layer.values()[i];
                assertThat(value).isBetween(layer.grid().minimum(), layer.grid().maximum());
                if (value > layer.grid().minimum() && value < layer.grid().maximum()) {
                    float step = layer.grid().scale()[i / perChannel];
                    assertThat(Math.abs(rounded[i] - kernel.floats()[i])).isLessThanOrEqualTo(0.50001f * step);
                }
            }
            assertThat(layer.bias()).isNotNull();
        }
    }

    @Test
    void aNanPixelNamesTensorAndSample() {
        float[] values = new float[2 * 28 * 28];
        values[28 * 28 + 3] = Float.NaN;
        SampleBatch batch = new SampleBatch(40, 2, Map.of("input", TensorData.ofFloats(values, 2, 1, 28, 28)), null);
        assertThatThrownBy(() -> new StatisticsCollector(executor).collect(batch))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("tensor input")
                .hasMessageContaining("sample 41")
                .hasMessageContaining("NaN");
    }

    private static List<String> tensors(Graph graph) {
        return List.copyOf(
                ActivationTensors.namesByTensor(graph, Fusing.TOOLKIT).keySet());
    }
}
