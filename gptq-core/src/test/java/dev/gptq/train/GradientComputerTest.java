package dev.gptq.train;

import ai.djl.Device;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.Graph;
import dev.gptq.hessian.LossWeights;
import dev.gptq.hessian.ScoreSums;
import dev.gptq.testing.CalibrationImages;
import dev.gptq.testing.InMemory;
import dev.gptq.testing.M1;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class GradientComputerTest {
    private static final int SAMPLES = 40;
    private static final Graph GRAPH = M1.graph();
    private static final QuantizationPlan PLAN = M1.plan();
    private static final GradientPTQConfig CONFIG = GradientPTQConfig.defaults(2);
    private static final LossWeights WEIGHTS =
            LossWeights.of(ScoreSums.of(scores(), CONFIG.hessianWeightsConfig()), CONFIG.hessianWeightsConfig());
    private static final TrainingConfig FOUR_LANES = new TrainingConfig(16, 4, 100, 2);

    private static GraphExecutor model;

    @BeforeAll
    static void openModel() {
        model = new GraphExecutor(GRAPH, Device.cpu());
    }

    @AfterAll
    static void closeModel() {
        model.close();
    }

    @Test
    void theNumberOfThreadsDoesNotChangeABit() {
        RoundingTrainer one = train(FOUR_LANES, 1);
        RoundingTrainer four = train(FOUR_LANES, 4);
        assertThat(four.parameters().values()).isEqualTo(one.parameters().values());
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void lanesAddUpToTheLossAndGradientOfTheWholeBatch(int lanes) {
        GradientPTQConfig squares = GradientPTQConfig.builder()
                .setNEpochs(2)
                .optHessianWeightsConfig(null)
                .optGradualActivationQuantizationConfig(null)
                .build();
        compare(lanes, CONFIG, WEIGHTS);
        compare(lanes, squares, LossWeights.equal(5));
    }

    private static void compare(int lanes, GradientPTQConfig config, LossWeights weights) {
        LaneGradient split = firstStep(new TrainingConfig(16, lanes, 100, 2), config, weights);
        LaneGradient whole = firstStep(new TrainingConfig(16, 1, 100, 2), config, weights);
        assertThat(split.loss()).isCloseTo(whole.loss(), Percentage.withPercentage(1e-4));
        float largest = 0;
        for (float value : whole.gradient()) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertThat(largest).isPositive();
        for (int i = 0; i < whole.gradient().length; i++) {
            assertThat(split.gradient()[i]).isCloseTo(whole.gradient()[i], within(1e-4f * largest));
        }
    }

    @Test
    void theGradientIsTheSlopeOfTheLoss() {
        // Without activation quantizers and with a small step the loss is smooth in every bias.
        QuantizationPlan plan = new QuantizationPlan(PLAN.weights(), List.of());
        GradientComputer computer = new GradientComputer(model, plan, CONFIG, WEIGHTS);
        ParameterLayout layout = ParameterLayout.of(GRAPH, plan);
        float[] values = new RoundingTrainer(GRAPH, plan, CONFIG, WEIGHTS, 10)
                .parameters()
                .values();
        // Away from the minimum, where the slope is large.
        for (int i = layout.kernelCount(); i < values.length; i++) {
            values[i] += 0.3f;
        }
        StudentParameters parameters = new StudentParameters(0, values, 1);
        MicroBatch batch = new MicroBatch(
                CalibrationImages.batch(0, 4),
                InMemory.attention(CalibrationImages::batch, scores()).attention(new StepBatches.Range(0, 4)),
                1,
                null,
                4);
        float[] gradient = computer.compute(parameters, batch).gradient();
        for (ParameterLayout.Layer layer : layout.layers()) {
            int index = layer.bias().offset() + 1;
            float step = 2e-3f;
            float[] up = parameters.values().clone();
            float[] down = parameters.values().clone();
            up[index] += step;
            down[index] -= step;
            double slope =
                    (computer.compute(new StudentParameters(0, up, 1), batch).loss()
                                    - computer.compute(new StudentParameters(0, down, 1), batch)
                                            .loss())
                            / (2 * step);
            assertThat((double) gradient[index])
                    .as(layer.point().name())
                    .isCloseTo(slope, within(0.05 * Math.abs(slope)));
        }
    }

    private static RoundingTrainer train(TrainingConfig training, int threads) {
        BatchSchedule schedule = new BatchSchedule(SAMPLES, training, 2, 0, true);
        RoundingTrainer trainer = new RoundingTrainer(GRAPH, PLAN, CONFIG, WEIGHTS, schedule.totalSteps());
        try (GradientExchange exchange = exchange(threads)) {
            LocalTrainer.run(trainer, exchange, schedule);
        }
        assertThat(trainer.step()).isEqualTo(6);
        return trainer;
    }

    private static LaneGradient firstStep(TrainingConfig training, GradientPTQConfig config, LossWeights weights) {
        BatchSchedule schedule = BatchSchedule.inOrder(SAMPLES, training, 1);
        RoundingTrainer trainer = new RoundingTrainer(GRAPH, PLAN, config, weights, 10);
        GradientComputer computer = new GradientComputer(model, PLAN, config, weights);
        TrainingData data = config.hessianWeightsConfig() == null
                ? new MemoryTrainingData(CalibrationImages::batch, null, new TeacherEnergies(model, PLAN))
                : InMemory.attention(CalibrationImages::batch, scores());
        try (GradientExchange exchange = new LocalGradientExchange(computer, data, 1)) {
            return exchange.exchange(trainer.parameters(), schedule.step(0));
        }
    }

    private static GradientExchange exchange(int threads) {
        GradientComputer computer = new GradientComputer(model, PLAN, CONFIG, WEIGHTS);
        return new LocalGradientExchange(computer, InMemory.attention(CalibrationImages::batch, scores()), threads);
    }

    private static double[][] scores() {
        double[][] scores = new double[SAMPLES][5];
        for (int b = 0; b < SAMPLES; b++) {
            for (int l = 0; l < 5; l++) {
                scores[b][l] = 0.1 + Math.abs(Math.sin(b + 2 * l));
            }
        }
        return scores;
    }
}
