package dev.gptq.train;

import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import dev.gptq.config.TrainingConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class BatchScheduleTest {
    private static final TrainingConfig CONFIG = new TrainingConfig(8, 4, 100, 2);

    @Test
    void everyEpochVisitsEverySampleOnce() {
        BatchSchedule schedule = new BatchSchedule(29, CONFIG, 3, 7, true);
        assertThat(schedule.stepsPerEpoch()).isEqualTo(4);
        assertThat(schedule.totalSteps()).isEqualTo(12);
        for (int epoch = 0; epoch < 3; epoch++) {
            assertThat(visited(schedule, epoch)).containsExactlyInAnyOrderElementsOf(indices(29));
        }
    }

    @Test
    void onlyTheLastStepOfAnEpochIsSmaller() {
        BatchSchedule schedule = new BatchSchedule(29, CONFIG, 2, 7, true);
        for (int step = 0; step < schedule.totalSteps(); step++) {
            int expected = step % 4 == 3 ? 29 - 3 * 8 : 8;
            assertThat(schedule.step(step).globalBatchSize()).isEqualTo(expected);
        }
        List<StepBatches.Range> last = schedule.step(3).lanes();
        assertThat(last.get(last.size() - 1)).isEqualTo(new StepBatches.Range(28, 1));
    }

    @Test
    void theOrderDependsOnSeedAndEpochAlone() {
        BatchSchedule schedule = new BatchSchedule(64, CONFIG, 2, 7, true);
        assertThat(visited(schedule, 0)).isNotEqualTo(visited(schedule, 1)).isNotEqualTo(indices(64));
        assertThat(visited(new BatchSchedule(64, CONFIG, 9, 7, true), 1)).isEqualTo(visited(schedule, 1));
        assertThat(visited(new BatchSchedule(64, CONFIG, 2, 8, true), 0)).isNotEqualTo(visited(schedule, 0));
    }

    @Test
    void aScheduleInOrderKeepsTheSamplesOrder() {
        BatchSchedule schedule = BatchSchedule.inOrder(29, CONFIG, 2);
        assertThat(visited(schedule, 0)).isEqualTo(indices(29)).isEqualTo(visited(schedule, 1));
    }

    @ParameterizedTest(name = "per_sample {0}, shuffle {1}")
    @CsvSource({"true, null, true", "false, null, false", "true, false, false", "false, true, true"})
    void onlyAttentionShufflesUnlessTheConfigurationSaysOtherwise(String perSample, String shuffle, boolean shuffled) {
        RunConfig config = RunConfigReader.read(
                """
                model: model.onnx
                data: {calibration: {path: a.npz, inputs: {input: {}}}}
                gptq: {n_epochs: 2}
                output: {path: run}
                """,
                "run.yaml",
                List.of("gptq.hessian_weights_config.per_sample=" + perSample, "training.shuffle=" + shuffle));
        BatchSchedule schedule = BatchSchedule.of(320, config);
        assertThat(schedule.totalSteps()).isEqualTo(20);
        assertThat(!visited(schedule, 0).equals(indices(320))).isEqualTo(shuffled);
        assertThat(!visited(schedule, 1).equals(visited(schedule, 0))).isEqualTo(shuffled);
    }

    private static List<Long> indices(int count) {
        return LongStream.range(0, count).boxed().toList();
    }

    private static List<Long> visited(BatchSchedule schedule, int epoch) {
        List<Long> visited = new ArrayList<>();
        for (int step = 0; step < schedule.stepsPerEpoch(); step++) {
            for (StepBatches.Range range :
                    schedule.step(epoch * schedule.stepsPerEpoch() + step).lanes()) {
                LongStream.range(range.first(), range.first() + range.size()).forEach(visited::add);
            }
        }
        return visited;
    }
}
