package dev.gptq.jobs.bench;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

import static org.assertj.core.api.Assertions.assertThat;

class BenchCommandTest {
    private final StringWriter err = new StringWriter();

    @Test
    void anUnknownBenchmarkIsAUsageErrorThatNamesThoseThereAre() {
        assertThat(run("hessian", "speed")).isEqualTo(2);

        assertThat(err.toString()).contains("there is no benchmark 'speed'", "hessian", "all");
    }

    @Test
    void runsMustBePositive() {
        assertThat(run("hessian", "--runs", "0")).isEqualTo(2);

        assertThat(err.toString()).contains("--runs must be at least 1, not 0");
    }

    @Test
    void aNameIsNeeded() {
        assertThat(run()).isEqualTo(2);
    }

    private int run(String... arguments) {
        return new CommandLine(new BenchCommand())
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }
}
