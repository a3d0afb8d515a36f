package dev.gptq.jobs;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ConsoleProgressTest {
    private final StringWriter out = new StringWriter();
    private long milliseconds;

    @Test
    void aLogGetsALinePerStageAndAtMostOneEveryTwoSeconds() {
        ConsoleProgress progress = progress(false);

        progress.stageStarted("train", 960);
        for (int step = 1; step <= 50; step++) {
            milliseconds += 100;
            progress.advanced("train", step, "loss 0.5");
        }
        progress.stageFinished("train", 5.04, "final loss 0.4");

        assertThat(lines())
                .containsExactly(
                        "train     started",
                        "train     20/960 (2%)  loss 0.5  1:34 left",
                        "train     40/960 (4%)  loss 0.5  1:32 left",
                        "train     done in 5.0 s  final loss 0.4");
    }

    @Test
    void aTerminalGetsABarThatIsRedrawnInPlaceAndClearedForOtherLines() {
        ConsoleProgress progress = progress(true);

        progress.stageStarted("hessian", 4);
        milliseconds += 200;
        progress.advanced("hessian", 2, "");
        milliseconds += 10;
        progress.advanced("hessian", 3, "");
        progress.warning("something");
        progress.stageFinished("hessian", 1, "");

        String bar = "#".repeat(15) + " ".repeat(15);
        assertThat(out.toString().replace(System.lineSeparator(), "\n"))
                .isEqualTo("\r\u001b[Khessian   [" + " ".repeat(30) + "] 0/4 (0%)"
                        + "\r\u001b[Khessian   [" + bar + "] 2/4 (50%)"
                        + "\r\u001b[Kwarning: something\n"
                        + "hessian   done in 1.0 s\n");
    }

    @Test
    void theTimeLeftOfAResumedStageCountsOnlyWhatWasDoneNow() {
        ConsoleProgress progress = progress(false);

        progress.stageStarted("train", 10_000);
        progress.advanced("train", 5001, "");
        milliseconds += 4000;
        progress.advanced("train", 5003, "");

        // 4997 steps of two seconds each.
        assertThat(lines()).containsExactly("train     started", "train     5003/10000 (50%)  2:46:34 left");
    }

    @Test
    void aStageOfUnknownLengthCountsUnits() {
        ConsoleProgress progress = progress(false);

        progress.stageStarted("prepare", -1);
        milliseconds += 3000;
        progress.advanced("prepare", 500, "samples");

        assertThat(lines()).containsExactly("prepare   started", "prepare   500  samples");
    }

    private ConsoleProgress progress(boolean terminal) {
        return new ConsoleProgress(new PrintWriter(out), terminal, () -> TimeUnit.MILLISECONDS.toNanos(milliseconds));
    }

    private List<String> lines() {
        return out.toString().lines().toList();
    }
}
