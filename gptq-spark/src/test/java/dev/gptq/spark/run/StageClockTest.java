package dev.gptq.spark.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class StageClockTest {
    private long nanos;
    private final List<String> heard = new ArrayList<>();

    private final StageClock clock = new StageClock(
            new ProgressListener() {
                @Override
                public void stageStarted(String stage, long totalUnits) {
                    heard.add("started " + stage);
                }

                @Override
                public void advanced(String stage, long doneUnits, String detail) {
                    heard.add(doneUnits + " " + detail);
                }

                @Override
                public void stageFinished(String stage, double seconds, String summary) {
                    heard.add("finished after " + seconds);
                }

                @Override
                public void warning(String line) {
                    heard.add(line);
                }
            },
            () -> nanos);

    @Test
    void samplesPerSecondAreToldFromTheSecondReportOn() {
        clock.start(StageClock.TRAIN, 100, 32);
        pass(5);
        // A resumed stage: the steps before cost nothing now.
        clock.advanced(50, "loss 1");
        pass(4);
        clock.advanced(52, "loss 0.5");
        pass(1);
        clock.finish("done");

        assertThat(heard)
                .containsExactly("started train", "50 loss 1", "52 loss 0.5  16.00 samples/s", "finished after 10.0");
    }

    @Test
    void unitsThatAreNoSamplesHaveNoRate() {
        clock.start(StageClock.EXPORT, 2);
        clock.advanced(1, "ptq.onnx");
        pass(1);
        clock.advanced(2, "");

        assertThat(heard).containsExactly("started export", "1 ptq.onnx", "2 ");
    }

    @Test
    void whoWantsToKnowIsToldOfEachStageBeforeTheListener() {
        clock.onStart(stage -> heard.add("entered " + stage));

        clock.start(StageClock.TRAIN, 1);

        assertThat(heard).containsExactly("entered train", "started train");
    }

    @Test
    void secondsOfEarlierProcessesCountAndAComparisonIsThatOfTheLastOne() {
        clock.continueFrom(Map.of("train_s", 20.0, "evaluate_s", 5.0, "total_s", 40.0));
        clock.start(StageClock.TRAIN, 1);
        pass(3);
        clock.finish("done");
        clock.start(StageClock.EVALUATE, 1);
        pass(4);
        clock.finish("done");

        assertThat(clock.timing())
                .containsEntry("train_s", 23.0)
                .containsEntry("evaluate_s", 4.0)
                .containsEntry("calibrate_s", 0.0)
                .containsEntry("total_s", 47.0);
        assertThat(heard).contains("finished after 3.0", "finished after 4.0");
    }

    private void pass(int seconds) {
        nanos += seconds * 1_000_000_000L;
    }
}
