package dev.gptq.train;

import ai.djl.Device;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.Graph;
import dev.gptq.hessian.LossWeights;
import dev.gptq.testing.CalibrationImages;
import dev.gptq.testing.M1;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class GradientComputerTest {
    private static final int SAMPLES = 40;
    private static final Graph GRAPH = M1.graph();
    private static final QuantizationPlan PLAN = M1.plan();
    private static final GradientPTQConfig CONFIG = GradientPTQConfig.defaults(2);
    private static final LossWeights WEIGHTS = LossWeights.reduce(scores(), 5, CONFIG.hessianWeightsConfig());
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

    @Test
    void lanesAddUpToTheGradientOfTheWholeBatch() {
        LaneGradient four = firstStep(FOUR_LANES);
        LaneGradient one = firstStep(new TrainingConfig(16, 1, 100, 2));
        assertThat(four.loss()).isCloseTo(one.loss(), Percentage.withPercentage(1e-3));
        float largest = 0;
        for (float value : one.gradient()) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertThat(largest).isPositive();
        for (int i = 0; i < one.gradient().length; i++) {
            assertThat(four.gradient()[i]).isCloseTo(one.gradient()[i], within(1e-4f * largest));
        }
    }

    /** Each lane normalises by the energy of its own teacher outputs; on m1 that moves the loss by about 1%. */
    @Test
    void lanesOfTheMeanSquaredErrorComeCloseToTheWholeBatch() {
        GradientPTQConfig config = GradientPTQConfig.builder()
                .setNEpochs(2)
                .optHessianWeightsConfig(null)
                .optGradualActivationQuantizationConfig(null)
                .build();
        LossWeights equal = LossWeights.reduce(null, 5, null);
        LaneGradient one = firstStep(new TrainingConfig(16, 1, 100, 2), config, equal);
        LaneGradient four = firstStep(FOUR_LANES, config, equal);
        double dot = 0;
        double squaresOfOne = 0;
        double squaresOfFour = 0;
        for (int i = 0; i < one.gradient().length; i++) {
            dot += (double) one.gradient()[i] * four.gradient()[i];
            squaresOfOne += (double) one.gradient()[i] * one.gradient()[i];
            squaresOfFour += (double) four.gradient()[i] * four.gradient()[i];
        }
        assertThat(four.loss()).isNotEqualTo(one.loss()).isCloseTo(one.loss(), Percentage.withPercentage(3));
        assertThat(dot / Math.sqrt(squaresOfOne * squaresOfFour)).isGreaterThan(0.99);
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
        MicroBatch batch = new MicroBatch(CalibrationImages.batch(0, 4), Arrays.copyOf(WEIGHTS.perSample(), 4), 1, 4);
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
        BatchSchedule schedule = new BatchSchedule(SAMPLES, training, 2, 0, WEIGHTS);
        RoundingTrainer trainer = new RoundingTrainer(GRAPH, PLAN, CONFIG, WEIGHTS, schedule.totalSteps());
        try (GradientExchange exchange = exchange(threads)) {
            LocalTrainer.run(trainer, exchange, schedule);
        }
        assertThat(trainer.step()).isEqualTo(6);
        return trainer;
    }

    private static LaneGradient firstStep(TrainingConfig training) {
        return firstStep(training, CONFIG, WEIGHTS);
    }

    private static LaneGradient firstStep(TrainingConfig training, GradientPTQConfig config, LossWeights weights) {
        BatchSchedule schedule = BatchSchedule.inOrder(SAMPLES, training, 1, weights);
        RoundingTrainer trainer = new RoundingTrainer(GRAPH, PLAN, config, weights, 10);
        GradientComputer computer = new GradientComputer(model, PLAN, config, weights);
        try (GradientExchange exchange = new LocalGradientExchange(computer, CalibrationImages::batch, weights, 1)) {
            return exchange.exchange(trainer.parameters(), schedule.step(0));
        }
    }

    private static GradientExchange exchange(int threads) {
        GradientComputer computer = new GradientComputer(model, PLAN, CONFIG, WEIGHTS);
        return new LocalGradientExchange(computer, CalibrationImages::batch, WEIGHTS, threads);
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
