package dev.gptq.train;

import ai.djl.Device;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.GradualActivationQuantizationConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.Graph;
import dev.gptq.hessian.LossWeights;
import dev.gptq.testing.CalibrationImages;
import dev.gptq.testing.M1;
import dev.gptq.testing.Npz;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** Repeats whole training runs of MCT step by step, from its weights, thresholds, loss weights and sample order. */
class TraceReplayTest {
    private static final int BATCH = 32;
    private static final TrainingConfig ONE_LANE = new TrainingConfig(BATCH, 1, 100, 2);
    private static final double EQUAL_INTEGERS = 0.999;

    private final Graph graph = M1.graph();
    private final QuantizationPlan plan = M1.plan();

    @Test
    void theFirstGradientAndTheFirstStepEqualMcts() {
        Npz trace = Npz.resource("/oracle/m1_trace_n.npz");
        LossWeights weights = LossWeights.equal(M1.LAYERS.size());
        RoundingTrainer trainer = new RoundingTrainer(graph, plan, meanSquaredError(null), weights, 32);
        ParameterLayout layout = ParameterLayout.of(graph, plan);
        try (GraphExecutor model = new GraphExecutor(graph, Device.cpu())) {
            GradientComputer computer = new GradientComputer(model, plan, meanSquaredError(null), weights);
            BatchSchedule schedule = BatchSchedule.inOrder(CalibrationImages.COUNT, ONE_LANE, 1);
            MicroBatch batch = MicroBatch.of(schedule.step(0), 0, energies(model));
            LaneGradient gradient = computer.compute(trainer.parameters(), batch);
            assertThat(gradient.loss()).isCloseTo(initialLoss(trace), Percentage.withPercentage(0.01));
            for (int l = 0; l < M1.LAYERS.size(); l++) {
                float[] expected = trace.floats("grad0|" + M1.LAYERS.get(l) + "|dbias");
                ParameterLayout.Slice slice = layout.layers().get(l).bias();
                float[] actual = Arrays.copyOfRange(gradient.gradient(), slice.offset(), slice.offset() + slice.size());
                assertRelativelyClose(actual, expected, 2e-3);
            }
            trainer.update(gradient);
        }
        float[] alpha = trainer.state().arrays().get("alpha");
        for (String layer : List.of("conv1_bn", "conv2_bn", "fc")) {
            ParameterLayout.Slice slice =
                    layout.layers().get(M1.LAYERS.indexOf(layer)).kernel();
            float[] expected = trace.floats("step1|" + layer + "|aux");
            float[] firstGradient = trace.floats("grad0|" + layer + "|daux");
            double largest = 0;
            for (float value : firstGradient) {
                largest = Math.max(largest, Math.abs(value));
            }
            int compared = 0;
            for (int i = 0; i < slice.size(); i++) {
                // Adam's first step has the gradient's sign, so where the gradient is nearly zero rounding errors
                // decide.
                if (Math.abs(firstGradient[i]) > 1e-4 * largest) {
                    assertThat(alpha[slice.offset() + i]).as(layer).isCloseTo(expected[i], within(1e-4f));
                    compared++;
                }
            }
            assertThat(compared).as(layer).isGreaterThan(slice.size() / 3);
        }
    }

    /** MCT knows no lanes: into how many a step is split must not matter. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void theRunWithoutHessianWeightsFollowsMctWithAnyNumberOfLanes(int lanes) {
        Npz trace = Npz.resource("/oracle/m1_trace_n.npz");
        LossWeights weights = LossWeights.equal(M1.LAYERS.size());
        BatchSchedule schedule = BatchSchedule.inOrder(CalibrationImages.COUNT, lanes(lanes), 1);
        replay(trace, meanSquaredError(null), weights, schedule, this::energies);
    }

    /**
     * On some CPUs the sums of a single lane let one activation round to the other side early; the two epochs then end with
     * 99.89 % of equal integers. The sums of several lanes end with more than 99.95 % on every CPU tried.
     */
    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void theRunWithLayerWeightsFollowsMctWithAnyNumberOfLanes(int lanes) {
        Npz trace = Npz.resource("/oracle/m1_trace_b.npz");
        float[] perLayer = Arrays.copyOf(trace.floats("loss_weights"), M1.LAYERS.size());
        LossWeights weights = new LossWeights(perLayer, trace.floats("reg_weights"));
        BatchSchedule schedule = BatchSchedule.inOrder(CalibrationImages.COUNT, lanes(lanes), 2);
        GradientPTQConfig config = meanSquaredError(GPTQHessianScoresConfig.perLayerDefaults());
        replay(trace, config, weights, schedule, this::energies);
    }

    @Test
    void theRunWithSampleLayerAttentionAndGradualQuantizationFollowsMct() {
        Npz trace = Npz.resource("/oracle/m1_trace_c.npz");
        // One epoch over the samples in the order MCT drew for its two epochs.
        double[] order = trace.doubles("order");
        float[] attention = trace.floats("sla_weights");
        int layers = M1.LAYERS.size();
        float[][] perSample = new float[order.length][];
        for (int i = 0; i < order.length; i++) {
            int sample = (int) order[i];
            perSample[i] = Arrays.copyOfRange(attention, sample * layers, (sample + 1) * layers);
        }
        float[] regularizer = trace.floats("reg_weights");
        LossWeights weights = new LossWeights(regularizer, regularizer);
        BatchSchedule schedule = BatchSchedule.inOrder(order.length, ONE_LANE, 1);
        GradientPTQConfig config = GradientPTQConfig.builder()
                .setNEpochs(2)
                .optGradualActivationQuantizationConfig(GradualActivationQuantizationConfig.defaults())
                .build();
        replay(
                trace,
                config,
                weights,
                schedule,
                model -> new MemoryTrainingData(
                        (first, size) -> CalibrationImages.batch(order, first, size), perSample, null));
    }

    private void replay(
            Npz trace,
            GradientPTQConfig config,
            LossWeights weights,
            BatchSchedule schedule,
            Function<GraphExecutor, TrainingData> data) {
        RoundingTrainer trainer = new RoundingTrainer(graph, plan, config, weights, schedule.totalSteps());
        try (GraphExecutor model = new GraphExecutor(graph, Device.cpu());
                GradientExchange exchange = new LocalGradientExchange(
                        new GradientComputer(model, plan, config, weights), data.apply(model), 1)) {
            List<RoundingTrainer.StepResult> steps = LocalTrainer.run(trainer, exchange, schedule);
            double[] loss = trace.doubles("loss");
            double[] regularization = trace.doubles("reg");
            assertThat(steps).hasSameSizeAs(loss);
            for (RoundingTrainer.StepResult step : steps) {
                int k = step.step();
                assertThat(step.loss()).isCloseTo(loss[k], Percentage.withPercentage(0.1));
                assertThat(step.regularization()).isCloseTo(regularization[k], Percentage.withPercentage(0.1));
                // The oracle's difference of two float32 numbers knows the distillation loss to a few of their ulps. In
                // the end a single activation that rounds to the other side shows in the loss of its batch.
                double distillation = loss[k] - regularization[k];
                double tolerance = k < steps.size() / 2 ? 0.02 : 0.3;
                assertThat(step.distillationLoss())
                        .as("distillation loss of step %d", k)
                        .isCloseTo(distillation, within(tolerance * distillation + 4e-7 * loss[k]));
            }
            checkIntegers(trace, trainer.quantizedLayers());
        }
    }

    private static void checkIntegers(Npz trace, List<QuantizedLayer> layers) {
        int equal = 0;
        int total = 0;
        for (QuantizedLayer layer : layers) {
            String name = layer.point().name();
            double[] expected = trace.doubles("final|" + name + "|q_int");
            for (int i = 0; i < expected.length; i++) {
                equal += layer.values()[i] == (int) expected[i] ? 1 : 0;
            }
            total += expected.length;
            float[] bias = trace.floats("final|" + name + "|bias");
            for (int c = 0; c < bias.length; c++) {
                assertThat(layer.bias()[c]).as("bias of %s", name).isCloseTo(bias[c], within(5e-4f));
            }
        }
        assertThat((double) equal / total).as("equal integers").isGreaterThanOrEqualTo(EQUAL_INTEGERS);
    }

    private static TrainingConfig lanes(int lanes) {
        return new TrainingConfig(BATCH, lanes, 100, 2);
    }

    private TrainingData energies(GraphExecutor model) {
        return new MemoryTrainingData(CalibrationImages::batch, null, new TeacherEnergies(model, plan));
    }

    private GradientPTQConfig meanSquaredError(GPTQHessianScoresConfig hessian) {
        return GradientPTQConfig.builder()
                .setNEpochs(1)
                .optHessianWeightsConfig(hessian)
                .optGradualActivationQuantizationConfig(null)
                .build();
    }

    /** mean_l(1/5 * mse_l) with mse_l = mean((q - f)^2) / mean(f^2) from the oracle's statistics. */
    private static double initialLoss(Npz trace) {
        double sum = 0;
        for (int l = 0; l < M1.LAYERS.size(); l++) {
            double[] statistics = trace.doubles("y" + l + "_stats");
            sum += statistics[4] / statistics[1] / M1.LAYERS.size();
        }
        return sum / M1.LAYERS.size();
    }

    private static void assertRelativelyClose(float[] actual, float[] expected, double tolerance) {
        double largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) actual[i]).isCloseTo(expected[i], within(tolerance * largest));
        }
    }
}
