package dev.gptq.calibrate;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.Graph;
import dev.gptq.graph.OutputMoments;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.hessian.LossWeights;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.testing.CalibrationImages;
import dev.gptq.testing.Models;
import dev.gptq.train.ParameterLayout;
import dev.gptq.train.QuantizedStudent;
import dev.gptq.train.RoundingTrainer;
import dev.gptq.train.StudentOutputs;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** On m1 with the BatchNormalizations it was trained with. */
class SecondMomentCorrectionTest {
    private static final int SAMPLES = 64;

    private static Graph graph;
    private static GraphExecutor model;
    private static SampleBatch batch;
    private static QuantizationPlan plan;
    private static QuantizationPlan corrected;

    @BeforeAll
    static void prepare() {
        graph = GraphPreparation.prepare(OnnxReader.read(Models.bytes("m1_bn"), "m1_bn"), PreparationConfig.defaults());
        model = new GraphExecutor(graph, Device.cpu());
        batch = CalibrationImages.batch(0, SAMPLES);
        plan = plan(2, QuantizationMethod.SYMMETRIC);
        corrected = correct(plan);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void foldingKeepsWhatTheNormalizationsKnew() {
        // Four convolutions with a BatchNormalization each; the linear layer has none.
        assertThat(graph.moments()).hasSize(4);
        OutputMoments known = graph.moments().get(plan.weights().get(0).point().output());
        ChannelMoments seen = moments(floatOutput(plan.weights().get(0).point().output()));
        for (int channel = 0; channel < known.mean().length; channel++) {
            // Of 64 of the 60,000 images it was trained on.
            double deviation = known.deviation()[channel];
            assertThat(seen.mean()[channel]).isCloseTo(known.mean()[channel], within(0.2 * deviation));
            assertThat(Math.sqrt(seen.variance(channel))).isCloseTo(deviation, within(0.25 * deviation));
        }
    }

    @Test
    void integersAndTheFloatModelStayAndOnlyLayersBehindWhichThereWasANormalizationChange() {
        assertThat(CorrectedGraph.of(graph, corrected)).isSameAs(graph);
        List<QuantizedLayer> before = PlanBuilder.roundToNearest(graph, plan);
        List<QuantizedLayer> after = PlanBuilder.roundToNearest(graph, corrected);
        for (int layer = 0; layer < 4; layer++) {
            // Rounded in float32 by a scaled step: ties aside, the same integers.
            int equal = 0;
            int[] integers = after.get(layer).values();
            for (int i = 0; i < integers.length; i++) {
                equal += integers[i] == before.get(layer).values()[i] ? 1 : 0;
            }
            assertThat((double) equal / integers.length).isGreaterThan(0.999);
            assertThat(after.get(layer).grid().scale())
                    .isNotEqualTo(before.get(layer).grid().scale());
        }
        assertThat(corrected.weights().get(4)).isEqualTo(plan.weights().get(4));
        assertThat(corrected.activations()).isEqualTo(plan.activations());
    }

    @Test
    void theRoundedLayersHaveTheMomentsOfTheirNormalizations() {
        StudentOutputs student = student(corrected);
        for (int layer = 0; layer < 4; layer++) {
            String tensor = plan.weights().get(layer).point().output();
            OutputMoments wanted = graph.moments().get(tensor);
            ChannelMoments found = moments(student.comparePoints().get(tensor).toFloatArray(), tensor);
            // The first layer reads what was measured; later ones also differ by their quantized inputs.
            double tolerance = layer == 0 ? 0.02 : 0.15;
            for (int channel = 0; channel < wanted.mean().length; channel++) {
                double deviation = wanted.deviation()[channel];
                assertThat(found.mean()[channel])
                        .as("mean of channel %d of %s", channel, tensor)
                        .isCloseTo(wanted.mean()[channel], within(tolerance * (deviation + 0.1)));
                assertThat(Math.sqrt(found.variance(channel)))
                        .as("deviation of channel %d of %s", channel, tensor)
                        .isCloseTo(deviation, within(tolerance * (deviation + 0.1)));
            }
        }
    }

    @Test
    void atTwoBitsTheErrorOfTheOutputsIsLessThanWithBiasCorrection() {
        assertThat(error(corrected)).isLessThan(0.7 * error(plan));
    }

    @Test
    void trainingStartsFromTheScaledKernels() {
        GradientPTQConfig config = GradientPTQConfig.builder()
                .setNEpochs(1)
                .optHessianWeightsConfig(null)
                .build();
        QuantizationPlan fine = correct(plan(8, QuantizationMethod.SYMMETRIC));
        float[] start = new RoundingTrainer(graph, fine, config, LossWeights.equal(5), 10)
                .parameters()
                .values();
        ParameterLayout layout = ParameterLayout.of(graph, fine);
        for (int layer = 0; layer < 5; layer++) {
            WeightQuantizer quantizer = fine.weights().get(layer);
            ParameterLayout.Slice slice = layout.layers().get(layer).kernel();
            TensorData kernel = graph.constants().get(quantizer.point().weight());
            int channelSize = slice.size() / (int) kernel.shape()[0];
            for (int i = 0; i < slice.size(); i++) {
                double factor = quantizer.kernelFactor() == null ? 1 : quantizer.kernelFactor()[i / channelSize];
                float step = quantizer.grid().scale()[i / channelSize];
                // Soft rounding starts at the float kernel but for what thresholds cut off.
                assertThat((double) start[slice.offset() + i])
                        .isCloseTo(
                                kernel.floats()[i] * factor, within(0.25 * step + 0.1 * Math.abs(kernel.floats()[i])));
            }
        }
    }

    @Test
    void uniformRangesAreScaledAndPowersOfTwoStay() {
        QuantizationPlan uniform = plan(3, QuantizationMethod.UNIFORM);
        WeightQuantizer before = uniform.weights().get(1);
        WeightQuantizer after = correct(uniform).weights().get(1);
        assertThat(after.rangeMax()[3]).isEqualTo(before.rangeMax()[3] * after.kernelFactor()[3]);
        assertThat(after.grid().zeroPoint()).isEqualTo(before.grid().zeroPoint());
        QuantizationPlan powers = plan(3, QuantizationMethod.POWER_OF_TWO);
        assertThat(SecondMomentCorrection.isPossible(graph, powers)).isFalse();
        assertThat(correct(powers)).isEqualTo(powers);
    }

    @Test
    void blocksMergeToTheMomentsOfAllElements() {
        TensorData values = Models.random(3, 12, 5, 4);
        ChannelMoments whole = ChannelMoments.of(values.floats(), values.shape());
        ChannelMoments merged = null;
        int[] ends = {0, 1, 5, 12};
        for (int block = 1; block < ends.length; block++) {
            int rows = ends[block] - ends[block - 1];
            float[] part = java.util.Arrays.copyOfRange(values.floats(), ends[block - 1] * 20, ends[block] * 20);
            ChannelMoments moments = ChannelMoments.of(part, new long[] {rows, 5, 4});
            merged = merged == null ? moments : merged.merge(moments);
        }
        assertThat(merged.elements()).isEqualTo(48);
        for (int channel = 0; channel < 5; channel++) {
            assertThat(merged.mean()[channel]).isCloseTo(whole.mean()[channel], Offset.offset(1e-12));
            assertThat(merged.variance(channel)).isCloseTo(whole.variance(channel), Offset.offset(1e-12));
        }
    }

    @Test
    void aPlanFileKeepsTheFactors() {
        QuantizationPlan read = QuantizationPlan.fromJson(corrected.toJson());
        assertThat(read.weights().get(0).kernelFactor())
                .isEqualTo(corrected.weights().get(0).kernelFactor());
        assertThat(plan.toJson()).doesNotContain("kernel_factor");
    }

    private static QuantizationPlan plan(int bits, QuantizationMethod method) {
        QuantizationConfig config = QuantizationConfig.ofPreset("imx500")
                .withWeights(new QuantizationConfig.Weights(bits, method, true, ThresholdMethod.MSE, 2));
        return PlanBuilder.build(graph, new StatisticsCollector(model).collect(batch), config);
    }

    /** Measured in two blocks. */
    private static QuantizationPlan correct(QuantizationPlan plan) {
        SecondMomentCollector collector = new SecondMomentCollector(model, plan);
        LayerMoments measured = collector
                .collect(CalibrationImages.batch(0, SAMPLES / 2))
                .merge(collector.collect(CalibrationImages.batch(SAMPLES / 2, SAMPLES / 2)));
        return SecondMomentCorrection.apply(graph, plan, measured);
    }

    private static StudentOutputs student(QuantizationPlan quantizers) {
        return new QuantizedStudent(model, quantizers, PlanBuilder.roundToNearest(graph, quantizers))
                .run(Engines.newScope(Device.cpu()), batch);
    }

    /** Relative to the float outputs' mean square. */
    private static double error(QuantizationPlan quantizers) {
        String output = graph.outputs().get(0).name();
        float[] actual = student(quantizers).outputs().get(output).toFloatArray();
        float[] expected = Models.run(graph, batch.inputs()).get(output).floats();
        double error = 0;
        double power = 0;
        for (int i = 0; i < expected.length; i++) {
            error += Math.pow(actual[i] - expected[i], 2);
            power += Math.pow(expected[i], 2);
        }
        return error / power;
    }

    private static float[] floatOutput(String tensor) {
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            float[][] seen = new float[1][];
            Map<String, ai.djl.ndarray.NDArray> feeds = Engines.toArrays(scope, batch.inputs());
            model.run(
                    scope,
                    feeds,
                    (name, value) -> {
                        if (name.equals(tensor)) {
                            seen[0] = value.toFloatArray();
                        }
                        return value;
                    },
                    java.util.Set.of());
            return seen[0];
        }
    }

    private static ChannelMoments moments(float[] values) {
        return moments(values, plan.weights().get(0).point().output());
    }

    private static ChannelMoments moments(float[] values, String tensor) {
        int channels = graph.moments().get(tensor).mean().length;
        return ChannelMoments.of(values, new long[] {SAMPLES, channels, values.length / (SAMPLES * channels)});
    }
}
