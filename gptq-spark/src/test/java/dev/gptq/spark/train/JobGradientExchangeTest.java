package dev.gptq.spark.train;

import ai.djl.Device;
import dev.gptq.calibrate.BlockStatistics;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.hessian.LossWeights;
import dev.gptq.spark.PreparedSamples;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import dev.gptq.spark.calibrate.CalibrateStage;
import dev.gptq.spark.data.SampleStore;
import dev.gptq.train.BatchSchedule;
import dev.gptq.train.GradientComputer;
import dev.gptq.train.GradientExchange;
import dev.gptq.train.LaneGradient;
import dev.gptq.train.LocalGradientExchange;
import dev.gptq.train.RoundingTrainer;
import dev.gptq.train.StudentParameters;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class JobGradientExchangeTest {
    private static final TrainingConfig TRAINING = new TrainingConfig(16, 8, 100, 1);
    private static final GradientPTQConfig CONFIG = TestModel.gptq(1);

    @TempDir
    private static Path folder;

    private static PreparedSamples samples;
    private static BlockStatistics statistics;
    private static QuantizationPlan plan;
    private static LossWeights weights;
    private static BatchSchedule schedule;
    private static StudentParameters parameters;

    @BeforeAll
    static void prepare() {
        samples = PreparedSamples.in(folder);
        statistics = CalibrateStage.run(samples.job(CalibrateStage.BLOCK_SIZE, 2), done -> {});
        plan = PlanBuilder.build(samples.prepared(), statistics, QuantizationConfig.defaults());
        Random random = new Random(1);
        double[][] scores = new double[TestModel.SAMPLES][TestModel.LAYERS.size()];
        for (double[] sample : scores) {
            for (int layer = 0; layer < sample.length; layer++) {
                sample[layer] = random.nextDouble();
            }
        }
        weights = LossWeights.reduce(scores, TestModel.LAYERS.size(), CONFIG.hessianWeightsConfig());
        schedule = new BatchSchedule(TestModel.SAMPLES, TRAINING, 1, 0, weights);
        parameters = new RoundingTrainer(samples.prepared(), plan, CONFIG, weights, schedule.totalSteps()).parameters();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void statisticsHaveTheSameBitsForAnyNumberOfTasks(int tasks) {
        assertThat(CalibrateStage.run(samples.job(10, tasks), done -> {}).toJson())
                .isEqualTo(CalibrateStage.run(samples.job(10, 8), done -> {}).toJson());
    }

    @ParameterizedTest(name = "{0} tasks, in slices from {1} elements up")
    @CsvSource({"1, 1", "2, 1", "3, 1", "7, 1", "1, 1000000", "2, 1000000", "3, 1000000", "7, 1000000"})
    void gradientsEqualTheLocalOnesBitByBit(int tasks, int slicedFrom) {
        // The last step is the ragged one: 72 samples are four steps of 16 and one of 8.
        for (int step : new int[] {0, schedule.totalSteps() - 1}) {
            LaneGradient expected = local(step);
            try (GradientExchange exchange =
                    new JobGradientExchange(samples.job(16, tasks), plan, CONFIG, weights, slicedFrom)) {
                LaneGradient gradient = exchange.exchange(parameters, schedule.step(step));
                assertThat(gradient.loss()).isEqualTo(expected.loss());
                assertThat(gradient.gradient()).isEqualTo(expected.gradient());
            }
        }
    }

    @Test
    void theGradientIsNotZero() {
        assertThat(local(0).loss()).isPositive();
        assertThat(local(0).gradient()).isNotEqualTo(new float[parameters.values().length]);
    }

    private static LaneGradient local(int step) {
        SampleStore store =
                SampleStore.open(samples.store(), TestSpark.context().hadoopConfiguration());
        try (GraphExecutor executor = new GraphExecutor(samples.prepared(), Device.cpu())) {
            GradientComputer computer = new GradientComputer(executor, plan, CONFIG, weights);
            try (GradientExchange exchange = new LocalGradientExchange(computer, store::read, weights, 1)) {
                return exchange.exchange(parameters, schedule.step(step));
            }
        }
    }
}
