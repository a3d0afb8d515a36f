package dev.gptq.jobs;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

class FailureReportTest {
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @EnumSource
    void aDomainFailureEndsWithTheStatusOfItsCode(ErrorCode code) {
        assertThat(print(new GptqException(code, "Cannot do x: y. Do z."), false))
                .isEqualTo(code.exitStatus());

        assertThat(err).hasToString("gptq: Cannot do x: y. Do z." + System.lineSeparator());
    }

    @Test
    void aDomainFailureIsFoundUnderWhatWrappedIt() {
        Throwable wrapped = new RuntimeException(
                "job aborted",
                new IllegalStateException(
                        GptqException.badInput("Cannot read column 'image': it is missing. Name another.")));

        assertThat(print(wrapped, false)).isEqualTo(2);

        assertThat(err.toString()).startsWith("gptq: Cannot read column 'image'");
    }

    @Test
    void anUnexpectedFailureIsOneLineWithItsClassAndStatus1() {
        assertThat(print(new IllegalStateException("first\n  second"), false)).isEqualTo(1);

        assertThat(err.toString())
                .contains("java.lang.IllegalStateException: first second", "--debug")
                .hasLineCount(1);
    }

    @Test
    void aFullHeapIsOneLineWithTheStatusOfTheClusterAndARemedy() {
        assertThat(print(new OutOfMemoryError("Java heap space"), false)).isEqualTo(6);

        long megabytes = Runtime.getRuntime().maxMemory() >> 20;
        assertThat(err)
                .hasToString("gptq: Cannot go on: the heap of " + megabytes
                        + " MB is full. Start with a larger --driver-memory." + System.lineSeparator());
    }

    @Test
    void aFailureWithoutMessageStillNamesItsClass() {
        assertThat(print(new NullPointerException(), false)).isEqualTo(1);

        assertThat(err.toString()).contains("java.lang.NullPointerException: no message");
    }

    @Test
    void debugShowsTheTraceOfAnUnexpectedFailure() {
        assertThat(print(new IllegalStateException("x"), true)).isEqualTo(1);

        assertThat(err.toString()).contains("\tat dev.gptq.jobs.FailureReportTest");
    }

    private int print(Throwable failure, boolean debug) {
        return FailureReport.print(failure, debug, new PrintWriter(err, true));
    }
}
