package dev.gptq.spark.run;

import dev.gptq.config.RunConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import dev.gptq.train.RoundingTrainer.StepResult;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** What a listener hears of the numbers of a run of nine steps, with a checkpoint every five. */
class TrackedRunTest {
    @TempDir
    private static Path folder;

    @BeforeAll
    static void write() throws IOException {
        TestModel.writeModel(folder.resolve("model.onnx"));
        TestModel.writeSamples(folder.resolve("data"), 1);
    }

    @Test
    void everyStepAndCheckpointIsHeardWithTheSameNumbersInBothExchanges() {
        Heard jobs = run("job");
        Heard barrier = run("barrier");

        for (Heard heard : List.of(jobs, barrier)) {
            assertThat(heard.started).hasSize(1);
            assertThat(heard.steps)
                    .extracting(StepResult::step)
                    .isEqualTo(IntStream.range(0, 9).boxed().toList());
            assertThat(heard.layers).hasSize(9);
            for (StepResult step : heard.steps) {
                Map<String, Double> layers = heard.layers.get(step.step());
                assertThat(layers.keySet()).containsExactlyElementsOf(TestModel.LAYERS);
                assertThat(layers.values()).allMatch(loss -> loss > 0);
                assertThat(layers.values().stream().mapToDouble(loss -> loss).sum())
                        .isCloseTo(step.distillationLoss(), within(1e-9 * step.distillationLoss()));
            }
            assertThat(heard.rounding).containsOnlyKeys(5, 9);
            assertThat(heard.rounding.get(5).keySet()).containsExactlyElementsOf(TestModel.LAYERS);
            heard.rounding.get(9).values().forEach(values -> {
                for (float value : values) {
                    assertThat(value).isBetween(0f, 1f);
                }
            });
            assertThat(heard.metrics).singleElement().satisfies(metrics -> assertThat(metrics.layers())
                    .hasSameSizeAs(TestModel.LAYERS));
        }
        assertThat(barrier.steps).isEqualTo(jobs.steps);
        assertThat(barrier.layers).isEqualTo(jobs.layers);
        for (String layer : TestModel.LAYERS) {
            assertThat(barrier.rounding.get(9).get(layer))
                    .isEqualTo(jobs.rounding.get(9).get(layer));
        }
    }

    private static Heard run(String exchange) {
        Heard heard = new Heard();
        RunConfig config = TestModel.config(folder, folder.resolve(exchange))
                .setGptq(TestModel.gptq(1))
                .optTraining(new TrainingConfig(8, 4, null, 5, 2, exchange))
                .build();
        GptqPipeline.run(config, TestSpark.session(), heard);
        return heard;
    }

    /** Keeps the numbers. */
    private static final class Heard extends GptqPipelineTest.RecordingListener {
        private final List<String> started = new ArrayList<>();
        private final List<StepResult> steps = new ArrayList<>();
        private final Map<Integer, Map<String, Double>> layers = new TreeMap<>();
        private final Map<Integer, Map<String, float[]>> rounding = new TreeMap<>();
        private final List<RunMetrics> metrics = new ArrayList<>();

        @Override
        public void runStarted(String runId, RunConfig config) {
            started.add(runId);
        }

        @Override
        public void stepDone(StepResult result, int totalSteps) {
            assertThat(totalSteps).isEqualTo(9);
            steps.add(result);
        }

        @Override
        public void layersDone(int step, Map<String, Double> losses) {
            layers.put(step, losses);
        }

        @Override
        public void checkpointWritten(int step, Supplier<Map<String, float[]>> values) {
            rounding.put(step, values.get());
        }

        @Override
        public void evaluated(RunMetrics measured) {
            metrics.add(measured);
        }
    }
}
