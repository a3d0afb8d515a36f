package dev.gptq;

import dev.gptq.config.RunConfigReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class RedactionTest {
    @ParameterizedTest
    @CsvSource(
            value = {
                "sftp://me:hunter2@host/m.onnx | sftp://***@host/m.onnx",
                "path: 'ftp://:hunter2@host/x' | path: 'ftp://***@host/x'",
                "https://h/m.onnx?X-Amz-Signature=hunter2&part=3 | https://h/m.onnx?X-Amz-Signature=***&part=3",
                "https://h/m.onnx?sv=1&sig=hunter2%3D | https://h/m.onnx?sv=1&sig=***",
                "fs.s3a.secret.key=hunter2, next | fs.s3a.secret.key=***, next",
                "fs.azure.account.key.mine.net: hunter2 | fs.azure.account.key.mine.net: ***",
                "{\"MLFLOW_TRACKING_TOKEN\": \"hunter2\"} | {\"MLFLOW_TRACKING_TOKEN\": \"***\"}",
                "spark.ssl.keyStorePassword hunter=1 | spark.ssl.keyStorePassword hunter=1",
            },
            delimiter = '|')
    void secretsGoAndWhatIsAroundThemStays(String text, String redacted) {
        assertThat(Redaction.text(text)).isEqualTo(redacted.replace("***", Redaction.REPLACEMENT));
        assertThat(Redaction.text(Redaction.text(text))).isEqualTo(Redaction.text(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "abfs://container@account.dfs.core.windows.net/models/m.onnx",
                "s3a://bucket/key:with/colons@2x.png",
                "Cannot read '/data/keys/token.npy': no such file. Check the path.",
                "token_type_ids: {column: token_type_ids}",
                "tokenizer: tokenizer.json",
                "spark://host:7077",
                "12:30 at node a@b",
            })
    void whatIsNoSecretStays(String text) {
        assertThat(Redaction.text(text)).isEqualTo(text);
    }

    @Test
    void aConfigurationOfAllDefaultsHasNothingToHide() {
        String yaml = RunConfigReader.defaultsAsYaml();

        assertThat(Redaction.text(yaml)).isEqualTo(yaml);
    }

    @Test
    void messagesOfFailuresHoldNoSecrets() {
        assertThat(GptqException.io(null, "Cannot read '%s': gone. Look.", "sftp://me:hunter2@host/x"))
                .hasMessage("Cannot read 'sftp://" + Redaction.REPLACEMENT + "@host/x': gone. Look.");
    }
}
