package dev.gptq.spark.run;

import dev.gptq.Redaction;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A run whose model, data and results lie on a storage with the password in its address. */
class SecretsTest {
    private static final String PASSWORD = "hunter2";
    private static final String STORE = "vault://me:" + PASSWORD + "@store";
    private static final String KEY = "fs.vault.impl";

    @TempDir
    private static Path folder;

    @BeforeAll
    static void writeInputs() throws IOException {
        TestSpark.context().hadoopConfiguration().set(KEY, Vault.class.getName());
        TestModel.writeModel(folder.resolve("model.onnx"));
        TestModel.writeSamples(folder.resolve("data"), 1);
    }

    @AfterAll
    static void forgetVault() {
        TestSpark.context().hadoopConfiguration().unset(KEY);
    }

    @Test
    void noFileOfARunHoldsThePassword() throws IOException {
        DatasetConfig data = TestModel.dataset(folder.resolve("data"));
        RunConfig config = TestModel.config(folder, folder.resolve("run"))
                .setModel(STORE + folder.resolve("model.onnx"))
                .setCalibration(new DatasetConfig(
                        STORE + data.path(), data.format(), data.inputs(), data.label(), data.id(), data.limit()))
                .setGptq(TestModel.gptq(1))
                .setOutput(new OutputConfig(STORE + folder.resolve("run"), false))
                .build();

        GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE);

        assertThat(folder.resolve("run/MANIFEST.json")).content().contains("vault://" + Redaction.REPLACEMENT);
        for (Path file : files(folder.resolve("run"))) {
            assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
                    .as(file.toString())
                    .doesNotContain(PASSWORD);
        }
        assertThat(GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE)
                        .alreadyComplete())
                .isTrue();
    }

    @Test
    void noMessageHoldsThePassword() {
        RunConfig config = TestModel.config(folder, folder.resolve("failed"))
                .setModel(STORE + "/nowhere/model.onnx")
                .build();

        assertThatThrownBy(() -> GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE))
                .hasMessageContaining("vault://" + Redaction.REPLACEMENT + "@store/nowhere/model.onnx")
                .hasMessageNotContaining(PASSWORD);
    }

    @Test
    void aConfigurationConstructsNoObjectAndNamesNoClassUnlessThatIsAllowed() throws IOException {
        String yaml = RunConfigReader.toYaml(
                TestModel.config(folder, folder.resolve("x")).build());

        assertThatThrownBy(() -> RunConfigReader.read(
                        yaml.replace("seed: 0", "seed: !!javax.script.ScriptEngineManager []"), "x", List.of()))
                .hasMessageContaining("type tag", "is not allowed");
        for (String key : List.of("gptq.loss", "gptq.log_function")) {
            assertThatThrownBy(() -> RunConfigReader.read(yaml, "x", List.of(key + "=java.lang.ProcessBuilder")))
                    .hasMessageContaining("allow_user_classes");
        }
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    /** The local disk under another name. */
    public static final class Vault extends RawLocalFileSystem {
        private URI uri;

        @Override
        public void initialize(URI name, Configuration conf) throws IOException {
            super.initialize(URI.create("file:///"), conf);
            setConf(conf);
            uri = URI.create(name.getScheme() + "://" + name.getAuthority());
        }

        @Override
        public URI getUri() {
            return uri == null ? URI.create("file:///") : uri;
        }

        @Override
        public String getScheme() {
            return "vault";
        }
    }
}
