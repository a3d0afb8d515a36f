package dev.gptq.spark.run;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class RunDirectoryTest {
    private static final Fingerprint THIS_RUN = new Fingerprint("1.0", "seed: 1", "00000001", List.of("data 1 2"));
    private static final Fingerprint OTHER_RUN = new Fingerprint("1.0", "seed: 2", "00000001", List.of("data 1 2"));

    @TempDir
    private Path folder;

    @Test
    void aNewDirectoryIsCreatedAndReleased() {
        try (RunDirectory directory = open(THIS_RUN, false)) {
            assertThat(directory.isComplete()).isFalse();
            assertThat(run()).isDirectoryContaining("glob:**/LOCK");
        }
        assertThat(run()).isDirectoryNotContaining("glob:**/LOCK");
    }

    @Test
    void theSameRunFindsWhatItLeft() {
        try (RunDirectory directory = open(THIS_RUN, false)) {
            directory.files().writeText(RunDirectory.STATISTICS, "{}");
        }
        try (RunDirectory directory = open(THIS_RUN, false)) {
            assertThat(directory.isComplete()).isFalse();
            assertThat(directory.files().readText(RunDirectory.STATISTICS)).isEqualTo("{}");
        }
    }

    @Test
    void aFinishedRunIsCompleteUntilItIsOverwritten() {
        finish(THIS_RUN);
        try (RunDirectory directory = open(THIS_RUN, false)) {
            assertThat(directory.isComplete()).isTrue();
        }
        try (RunDirectory directory = open(THIS_RUN, true)) {
            assertThat(directory.isComplete()).isFalse();
            assertThat(directory.files().exists(RunDirectory.METRICS)).isFalse();
        }
    }

    @Test
    void overwriteStillContinuesAnUnfinishedRun() {
        try (RunDirectory directory = open(THIS_RUN, true)) {
            directory.files().writeText(RunDirectory.STATISTICS, "{}");
        }
        try (RunDirectory directory = open(THIS_RUN, true)) {
            assertThat(directory.files().exists(RunDirectory.STATISTICS)).isTrue();
        }
    }

    @Test
    void anotherRunsResultsAreReplacedOnlyWhenToldTo() {
        finish(OTHER_RUN);

        assertThat(refused(THIS_RUN))
                .contains("a different run (seed is 2 there and 1 here)", "--set output.overwrite=true");
        try (RunDirectory directory = open(THIS_RUN, true)) {
            assertThat(directory.isComplete()).isFalse();
        }
    }

    @Test
    void whatAnotherVersionLeftUnfinishedIsNotContinuedAndWhatItFinishedStays() {
        Fingerprint older = new Fingerprint("0.9", "seed: 1", "00000001", List.of("data 1 2"));
        open(older, false).close();

        assertThat(refused(THIS_RUN)).contains("the version of spark-gptq is 0.9 there and 1.0 here");

        finish(older);
        try (RunDirectory directory = open(THIS_RUN, false)) {
            assertThat(directory.isComplete()).isTrue();
        }
    }

    @Test
    void foreignFilesAreNeverDeleted() throws IOException {
        Files.createDirectories(run());
        Files.writeString(run().resolve("thesis.txt"), "years of work");

        assertThat(refused(THIS_RUN)).contains("other files", "--set output.overwrite=true");
        open(THIS_RUN, true).close();
        assertThat(run().resolve("thesis.txt")).hasContent("years of work");
    }

    @Test
    void aDirectoryInUseIsRefusedWithItsHolder() {
        try (RunDirectory directory = open(THIS_RUN, false)) {
            assertThat(refused(THIS_RUN))
                    .contains("process " + ProcessHandle.current().pid(), "is using it");
            assertThat(directory.files().exists(RunLock.FILE_NAME)).isTrue();
        }
    }

    @Test
    void aLockOfAProcessThatIsGoneIsTakenOver() throws IOException {
        writeLock(RunLock.Holder.current().host(), RunLock.Holder.current().space());

        open(THIS_RUN, false).close();

        assertThat(run().resolve("LOCK")).doesNotExist();
    }

    @Test
    void aLockOfAnotherContainerOfThisHostsNameHoldsWhileItIsFresh() throws IOException {
        writeLock(RunLock.Holder.current().host(), "pid:[1]");

        assertThat(refused(THIS_RUN)).contains("is using it");
    }

    @Test
    void aLockOfAnotherHostHoldsWhileItIsFresh() throws IOException {
        writeLock("another-host");
        assertThat(refused(THIS_RUN)).contains("another-host");

        Files.setLastModifiedTime(
                run().resolve("LOCK"), FileTime.from(Instant.now().minusSeconds(61)));

        open(THIS_RUN, false).close();
    }

    @Test
    void aRunWhoseLockWasTakenOverChangesNothingMore() throws IOException {
        try (RunDirectory directory = open(THIS_RUN, false)) {
            directory.files().writeText(RunDirectory.STATISTICS, "mine");
            writeLock("another-host");

            GptqException failure = catchThrowableOfType(
                    GptqException.class, () -> directory.files().writeText(RunDirectory.STATISTICS, "late"));

            assertThat(failure.code()).isEqualTo(ErrorCode.IO);
            assertThat(failure).hasMessageContainingAll(run().toString(), "another-host", "has taken it over");
            assertThatThrownBy(directory::discard).hasMessageContaining("has taken it over");
        }
        assertThat(run().resolve("statistics.json")).hasContent("mine");
        assertThat(run().resolve("LOCK")).content().contains("another-host");
    }

    @Test
    void aDirectoryThatCannotBeCreatedIsNamed() throws IOException {
        Files.writeString(run(), "a file where the directory should be");

        assertThat(refused(THIS_RUN)).contains(run().toString());
    }

    private void writeLock(String host) throws IOException {
        writeLock(host, "pid:[1]");
    }

    private void writeLock(String host, String space) throws IOException {
        Files.createDirectories(run());
        // No process has this number: Linux numbers processes up to 2^22.
        Files.writeString(
                run().resolve("LOCK"),
                "{\"host\":\"" + host + "\",\"space\":\"" + space + "\",\"pid\":99999999,\"startedAt\":\"unknown\"}");
    }

    private void finish(Fingerprint fingerprint) {
        try (RunDirectory directory = open(fingerprint, false)) {
            for (String name : List.of(
                    RunDirectory.METRICS,
                    RunDirectory.REPORT,
                    RunDirectory.QUANTIZED_MODEL,
                    RunDirectory.PTQ_MODEL,
                    RunDirectory.MANIFEST)) {
                directory.files().writeText(name, "x");
            }
        }
    }

    private String refused(Fingerprint fingerprint) {
        GptqException failure = catchThrowableOfType(
                GptqException.class, () -> open(fingerprint, false).close());
        assertThat(failure.code()).isEqualTo(ErrorCode.IO);
        return failure.getMessage();
    }

    private RunDirectory open(Fingerprint fingerprint, boolean overwrite) {
        return RunDirectory.open(
                run().toString(), RunDirectory.Replaces.of(overwrite), fingerprint, new Configuration());
    }

    private Path run() {
        return folder.resolve("run");
    }
}
