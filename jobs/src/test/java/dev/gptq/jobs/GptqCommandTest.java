package dev.gptq.jobs;

import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class GptqCommandTest {
    private static final String MINIMAL =
            """
            model: model.onnx
            data: {calibration: {path: c.parquet, inputs: {input: {}}}}
            gptq: {n_epochs: 3}
            output: {path: target/run}
            """;

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void printDefaultsPrintsAConfigurationThatCanBeRead() {
        assertThat(run("config", "--print-defaults")).isZero();

        assertThat(out.toString()).isEqualTo(RunConfigReader.defaultsAsYaml());
    }

    @Test
    void printDefaultsShowsARecipesValuesWhereOneIsSet() {
        assertThat(run("config", "--print-defaults", "--set", "recipe=accurate"))
                .isZero();

        assertThat(out.toString())
                .contains("recipe: accurate")
                .isEqualTo(RunConfigReader.defaultsAsYaml(List.of("recipe=accurate")))
                .isNotEqualTo(RunConfigReader.defaultsAsYaml().replace("recipe: mct", "recipe: accurate"));
    }

    @Test
    void configPrintsTheEffectiveConfigurationWithOverridesApplied() throws IOException {
        Path file = write(MINIMAL);

        assertThat(run("config", file.toString(), "--set", "seed=1", "--set=gptq.n_epochs=9", "--set", "seed=2"))
                .isZero();

        assertThat(RunConfigReader.read(out.toString(), "printed", List.of()))
                .isEqualTo(RunConfigReader.read(MINIMAL, "x", List.of("seed=2", "gptq.n_epochs=9")));
    }

    @Test
    void aBadValueIsOneLineAndStatus2() throws IOException {
        Path file = write(MINIMAL + "seed: never\n");

        assertThat(run("quantize", file.toString())).isEqualTo(2);

        assertThat(err.toString())
                .isEqualTo("gptq: Cannot use seed never (" + file
                        + ", line 5): expected a whole number. Allowed: a whole number." + System.lineSeparator());
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void debugAddsTheStackTrace() throws IOException {
        Path file = write("seed: never\n");

        assertThat(run("quantize", "--debug", file.toString())).isEqualTo(2);

        assertThat(err.toString()).startsWith("gptq: Cannot use ").contains("\tat dev.gptq.config.");
    }

    @Test
    void aMissingConfigurationFileIsStatus3() {
        Path file = folder.resolve("absent.yaml");

        assertThat(run("quantize", file.toString())).isEqualTo(3);

        assertThat(err.toString()).startsWith("gptq: Cannot read configuration " + file + ": there is no such file.");
    }

    @Test
    void aDirectoryInPlaceOfTheConfigurationIsStatus3() {
        assertThat(run("config", folder.toString())).isEqualTo(3);

        assertThat(err.toString())
                .startsWith("gptq: Cannot read configuration " + folder)
                .hasLineCount(1);
    }

    @Test
    void aBinaryConfigurationFileIsStatus2() throws IOException {
        Path file = Files.write(folder.resolve("model.onnx"), new byte[] {8, (byte) 0xff, (byte) 0xfe, 0});

        assertThat(run("config", file.toString())).isEqualTo(2);

        assertThat(err.toString()).contains("not UTF-8 text").hasLineCount(1);
    }

    @Test
    void usageErrorsAreOneLineAndStatus2() {
        assertThat(run()).isEqualTo(2);
        assertThat(run("quantise")).isEqualTo(2);
        assertThat(run("config")).isEqualTo(2);
        assertThat(run("quantize")).isEqualTo(2);
        assertThat(run("quantize", "x.yaml", "--fast")).isEqualTo(2);

        assertThat(err.toString().lines()).hasSize(5).allMatch(line -> line.startsWith("gptq: Cannot run"));
    }

    @Test
    void helpNamesTheCommandsAndTheVersionIsPrinted() {
        assertThat(run("--help")).isZero();
        assertThat(run("--version")).isZero();

        assertThat(out.toString()).contains("quantize", "quickstart", "config", "--debug", "gptq (not packaged)");
    }

    @Test
    void quickstartPathsBelongToTheProjectAndThoseOfOverridesToTheWorkingDirectory() {
        Path home = Path.of("..").toAbsolutePath().normalize();

        RunConfig config =
                QuickstartCommand.config(home, "quickstart.yaml", List.of("output.path=elsewhere", "gptq.n_epochs=1"));

        assertThat(config.model())
                .isEqualTo(home.resolve("conf/quickstart/m1_bn.onnx").toString());
        assertThat(Path.of(config.calibration().path())).isAbsolute().exists();
        assertThat(Path.of(config.evaluation().path())).isAbsolute().exists();
        assertThat(config.output().path()).isEqualTo("elsewhere");
        assertThat(config.gptq().nEpochs()).isEqualTo(1);
        assertThat(config.quantization().weights().bits()).isEqualTo(2);
    }

    private Path write(String yaml) throws IOException {
        return Files.writeString(folder.resolve("run.yaml"), yaml);
    }

    private int run(String... arguments) {
        return GptqCommand.run(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
    }
}
