package dev.gptq.spark.train;

import ai.djl.Device;
import dev.gptq.calibrate.BlockStatistics;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.hessian.HessianScorer;
import dev.gptq.hessian.LossWeights;
import dev.gptq.spark.PreparedSamples;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import dev.gptq.spark.calibrate.CalibrateStage;
import dev.gptq.spark.data.SampleStore;
import dev.gptq.spark.hessian.HessianStage;
import dev.gptq.spark.task.NumberJob;
import dev.gptq.train.BatchSchedule;
import dev.gptq.train.GradientComputer;
import dev.gptq.train.GradientExchange;
import dev.gptq.train.LaneGradient;
import dev.gptq.train.LocalGradientExchange;
import dev.gptq.train.MemoryTrainingData;
import dev.gptq.train.RoundingTrainer;
import dev.gptq.train.StudentParameters;
import dev.gptq.train.TeacherEnergies;
import dev.gptq.train.TrainingData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class JobGradientExchangeTest {
    private static final TrainingConfig TRAINING = new TrainingConfig(16, 8, 100, 1);
    private static final GradientPTQConfig ATTENTION = TestModel.gptq(1);
    private static final GradientPTQConfig SQUARES = GradientPTQConfig.builder()
            .setNEpochs(1)
            .optHessianWeightsConfig(null)
            .build();

    @TempDir
    private static Path folder;

    private static PreparedSamples samples;
    private static BlockStatistics statistics;
    private static QuantizationPlan plan;
    private static TrainingFolders folders;
    private static LossWeights weights;
    private static BatchSchedule schedule;
    private static StudentParameters parameters;

    @BeforeAll
    static void prepare() {
        samples = PreparedSamples.in(folder);
        statistics = CalibrateStage.run(samples.job(CalibrateStage.BLOCK_SIZE, 2), done -> {});
        plan = PlanBuilder.build(samples.prepared(), statistics, QuantizationConfig.defaults());
        schedule = new BatchSchedule(TestModel.SAMPLES, TRAINING, 1, 0, true);
        folders = new TrainingFolders(
                samples.store(),
                folder.resolve("scores").toString(),
                folder.resolve("energies").toString(),
                BatchSchedule.microBatchSize(TRAINING));
        List<ComparePoint> points = ComparePoints.of(samples.prepared());
        NumberJob table = HessianStage.table(samples.job(10, 3), folders.attention(), points);
        HessianStage.score(table, points, ATTENTION.hessianWeightsConfig(), 0, done -> {});
        TeacherEnergyStage.run(samples.job(folders.microBatchSize(), 3), plan, folders.energies(), done -> {});
        weights = HessianStage.weights(table, ATTENTION.hessianWeightsConfig());
        parameters =
                new RoundingTrainer(samples.prepared(), plan, ATTENTION, weights, schedule.totalSteps()).parameters();
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
        for (GradientPTQConfig config : List.of(ATTENTION, SQUARES)) {
            // The last step is the ragged one: 72 samples are four steps of 16 and one of 8.
            for (int step : new int[] {0, schedule.totalSteps() - 1}) {
                LaneGradient expected = local(config, step);
                try (GradientExchange exchange = new JobGradientExchange(
                        samples.job(16, tasks), folders(config), plan, config, weights, slicedFrom)) {
                    LaneGradient gradient = exchange.exchange(parameters, schedule.step(step));
                    assertThat(gradient.loss()).isEqualTo(expected.loss());
                    assertThat(gradient.gradient()).isEqualTo(expected.gradient());
                }
            }
        }
    }

    @Test
    void theGradientIsNotZero() {
        for (GradientPTQConfig config : List.of(ATTENTION, SQUARES)) {
            assertThat(local(config, 0).loss()).isPositive();
            assertThat(local(config, 0).gradient()).isNotEqualTo(new float[parameters.values().length]);
        }
    }

    private static boolean attends(GradientPTQConfig config) {
        return config.hessianWeightsConfig() != null;
    }

    private static TrainingFolders folders(GradientPTQConfig config) {
        return new TrainingFolders(
                folders.samples(),
                attends(config) ? folders.attention() : null,
                attends(config) ? null : folders.energies(),
                folders.microBatchSize());
    }

    /** From numbers that were computed here and held in memory. */
    private static LaneGradient local(GradientPTQConfig config, int step) {
        SampleStore store =
                SampleStore.open(samples.store(), TestSpark.context().hadoopConfiguration());
        try (GraphExecutor executor = new GraphExecutor(samples.prepared(), Device.cpu())) {
            TrainingData data = new MemoryTrainingData(
                    store::read,
                    attends(config) ? attention(executor, store) : null,
                    attends(config) ? null : new TeacherEnergies(executor, plan));
            GradientComputer computer = new GradientComputer(executor, plan, config, weights);
            try (GradientExchange exchange = new LocalGradientExchange(computer, data, 1)) {
                return exchange.exchange(parameters, schedule.step(step));
            }
        }
    }

    private static float[][] attention(GraphExecutor executor, SampleStore store) {
        HessianScorer scorer = new HessianScorer(executor, ATTENTION.hessianWeightsConfig(), 0);
        List<float[]> rows = new ArrayList<>();
        for (int first = 0; first < TestModel.SAMPLES; first += 10) {
            int size = Math.min(10, TestModel.SAMPLES - first);
            for (double[] sample : scorer.score(store.read(first, size))) {
                rows.add(new float[] {(float) sample[0], (float) sample[1], (float) sample[2]});
            }
        }
        return rows.toArray(new float[0][]);
    }
}
