package dev.gptq.spark.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;
import dev.gptq.hessian.LossWeights;
import dev.gptq.spark.PreparedSamples;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import dev.gptq.spark.calibrate.CalibrateStage;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.data.SampleStore;
import dev.gptq.train.BatchSchedule;
import dev.gptq.train.DistillationLoss;
import dev.gptq.train.GradientComputer;
import dev.gptq.train.GradientExchange;
import dev.gptq.train.LocalGradientExchange;
import dev.gptq.train.LocalTrainer;
import dev.gptq.train.LogFunction;
import dev.gptq.train.RoundingTrainer;
import dev.gptq.train.RoundingTrainer.StepResult;
import dev.gptq.train.StepBatches;
import dev.gptq.train.StudentParameters;
import dev.gptq.train.TrainingData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Either exchange against the trainer of core. Two epochs of five steps, the last of each with fewer lanes. */
class TrainingStageTest {
    private static final int STEPS = 10;
    private static final int INTERVAL = 4;
    private static final LossWeights WEIGHTS = LossWeights.equal(TestModel.LAYERS.size());

    @TempDir
    private static Path folder;

    private static PreparedSamples samples;
    private static QuantizationPlan plan;
    private static Oracle oracle;

    @TempDir
    private Path run;

    private final List<StepResult> heard = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    /** What the trainer of core makes of the data. */
    private record Oracle(List<QuantizedLayer> layers, List<StepResult> history, List<Integer> parameters) {}

    @BeforeAll
    static void prepare() {
        samples = PreparedSamples.in(folder);
        plan = PlanBuilder.build(
                samples.prepared(),
                CalibrateStage.run(samples.job(CalibrateStage.BLOCK_SIZE, 2), done -> {}),
                QuantizationConfig.defaults());
        oracle = trainHere(config("job", 8));
    }

    @BeforeEach
    void reset() {
        UnsteadyLoss.CALLS.set(0);
        UnsteadyLoss.failure = call -> {};
        Recorder.HEARD.clear();
    }

    @ParameterizedTest(name = "exchange {0}, {1} lanes")
    @CsvSource({"job, 8", "barrier, 8", "auto, 8", "barrier, 1"})
    void everyExchangeEqualsTheTrainerOfCoreBitByBit(String exchange, int lanes) {
        RunConfig config = config(exchange, lanes);

        TrainingStage.Result result = train(config, step -> {});

        assertEquals(result, lanes == 8 ? oracle : trainHere(config));
        assertThat(heard).isEqualTo(result.history());
        assertThat(result.exchange()).startsWith("exchange " + (exchange.equals("job") ? "job" : "barrier") + " (");
        assertThat(warnings).isEmpty();
    }

    @ParameterizedTest(name = "{0} after {1}")
    @CsvSource({"barrier, job", "job, barrier", "barrier, barrier"})
    void aRunMayGoOnWithTheOtherExchange(String second, String first) {
        assertThatThrownBy(() -> train(config(first, 8), step -> {
                    if (step.step() == 6) {
                        throw new IllegalStateException("power cut");
                    }
                }))
                .hasMessage("power cut");
        heard.clear();

        TrainingStage.Result result = train(config(second, 8), step -> {});

        assertEquals(result, oracle);
        assertThat(heard).isEqualTo(oracle.history().subList(INTERVAL, STEPS));
    }

    @Test
    void aFailedTaskStartsTheStageAgainFromTheCheckpoint() {
        // In step 6, after the checkpoint of step 4: an epoch has four steps of eight lanes and one of four.
        UnsteadyLoss.failure = call -> {
            if (call == 48) {
                throw new IllegalStateException("out of luck");
            }
        };

        TrainingStage.Result result = train(config("barrier", 8), step -> {});

        assertEquals(result, oracle);
        assertThat(heard).isEqualTo(oracle.history());
        assertThat(warnings)
                .singleElement()
                .asString()
                .startsWith("Training begins again at the last checkpoint")
                .contains("out of luck");
        assertThat(Recorder.HEARD).isEqualTo(oracle.parameters());
    }

    @ParameterizedTest
    @ValueSource(strings = {"job", "barrier"})
    void whatNoRepetitionHealsIsNotTriedAgain(String exchange) {
        UnsteadyLoss.failure = call -> {
            if (call == 12) {
                throw new GptqException(ErrorCode.DIVERGED, "Cannot go on: too steep. Go slower.");
            }
        };

        assertThatThrownBy(() -> train(config(exchange, 8), step -> {}))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DIVERGED))
                .hasMessage("Cannot go on: too steep. Go slower.");
        assertThat(UnsteadyLoss.CALLS.get()).isLessThanOrEqualTo(16);
        assertThat(heard).extracting(StepResult::step).containsExactly(0);
    }

    private TrainingStage.Result train(RunConfig config, Consumer<StepResult> progress) {
        TrainingStage stage = new TrainingStage(
                samples.job(config.training().batchSize(), 8),
                RunFiles.of(run.toString(), TestSpark.context().hadoopConfiguration()),
                config,
                Map.of(),
                (step, layers) -> {
                    progress.accept(step);
                    heard.add(step);
                },
                warnings::add);
        TrainingFolders folders =
                new TrainingFolders(samples.store(), null, null, BatchSchedule.microBatchSize(config.training()));
        return stage.run(samples.prepared(), plan, WEIGHTS, folders);
    }

    private static RunConfig config(String exchange, int lanes) {
        return TestModel.config(folder, folder.resolve("unused"))
                .setGptq(GradientPTQConfig.builder()
                        .setNEpochs(2)
                        .optHessianWeightsConfig(null)
                        .optLoss(UnsteadyLoss.class.getName())
                        .optLogFunction(Recorder.class.getName())
                        .build())
                .optAllowUserClasses(true)
                .optTraining(new TrainingConfig(16, lanes, null, INTERVAL, 2, exchange, 30))
                .build();
    }

    private static Oracle trainHere(RunConfig config) {
        UnsteadyLoss.failure = call -> {};
        Recorder.HEARD.clear();
        SampleStore store =
                SampleStore.open(samples.store(), TestSpark.context().hadoopConfiguration());
        BatchSchedule schedule = BatchSchedule.of(TestModel.SAMPLES, config);
        RoundingTrainer trainer =
                new RoundingTrainer(samples.prepared(), plan, config.gptq(), WEIGHTS, schedule.totalSteps());
        try (GraphExecutor executor = new GraphExecutor(samples.prepared(), Device.cpu());
                GradientExchange exchange = new LocalGradientExchange(
                        new GradientComputer(executor, plan, config.gptq(), WEIGHTS), data(store), 1)) {
            List<StepResult> history = LocalTrainer.run(trainer, exchange, schedule);
            assertThat(history).hasSize(STEPS);
            return new Oracle(trainer.quantizedLayers(), history, List.copyOf(Recorder.HEARD));
        }
    }

    private static TrainingData data(SampleStore store) {
        return new TrainingData() {
            @Override
            public SampleBatch samples(StepBatches.Range range) {
                return store.read(range.first(), range.size());
            }

            @Override
            public float[][] attention(StepBatches.Range range) {
                return null;
            }

            @Override
            public double[] teacherEnergies(StepBatches.Range microBatch) {
                return null;
            }
        };
    }

    private static void assertEquals(TrainingStage.Result result, Oracle expected) {
        assertThat(result.history()).isEqualTo(expected.history());
        assertThat(result.layers()).hasSameSizeAs(expected.layers());
        IntStream.range(0, expected.layers().size()).forEach(l -> {
            assertThat(result.layers().get(l).values())
                    .isEqualTo(expected.layers().get(l).values());
            assertThat(result.layers().get(l).bias())
                    .isEqualTo(expected.layers().get(l).bias());
        });
        assertThat(Recorder.HEARD.get(Recorder.HEARD.size() - 1))
                .isEqualTo(expected.parameters().get(STEPS - 1));
    }

    /** Squared error of the last layer; a call may fail. */
    public static final class UnsteadyLoss implements DistillationLoss {
        private static final AtomicInteger CALLS = new AtomicInteger();
        private static volatile Consumer<Integer> failure = call -> {};

        @Override
        public NDArray share(List<NDArray> student, List<NDArray> teacher, Context context) {
            failure.accept(CALLS.getAndIncrement());
            int last = student.size() - 1;
            NDArray error = student.get(last).sub(teacher.get(last));
            return error.mul(error).mean().mul(Engines.scalar(error.getManager(), error, context.shareOfBatch()));
        }
    }

    /** Keeps a hash of the parameters that each step ran with. */
    public static final class Recorder implements LogFunction {
        private static final List<Integer> HEARD = new ArrayList<>();

        @Override
        public void onStep(StepResult result, StudentParameters parameters) {
            assertThat(parameters.step()).isEqualTo(result.step());
            HEARD.add(Arrays.hashCode(parameters.values()));
        }
    }
}
