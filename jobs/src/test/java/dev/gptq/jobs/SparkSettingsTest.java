package dev.gptq.jobs;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.internal.config.ConfigEntry$;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Every Spark setting that a file of conf, the launcher or a page names is one that Spark has. */
class SparkSettingsTest {
    /** Their names in a text; what ends in a star stands for several. */
    private static final Pattern KEY = Pattern.compile("(?<![A-Za-z0-9./_-])spark\\.[a-z][A-Za-z0-9.]*+(?![*])");

    /** Where Spark declares its settings; those of an object are known once it is loaded. */
    private static final List<String> DECLARATIONS = List.of("package", "UI", "Network", "Deploy", "Worker", "History");

    /** Settings that Spark reads without declaring them in its core, from its documentation. */
    private static final Set<String> UNDECLARED = Set.of(
            "spark.app.name",
            "spark.driver.defaultJavaOptions",
            "spark.executor.defaultJavaOptions",
            "spark.network.crypto.cipher",
            "spark.master",
            "spark.kubernetes.authenticate.driver.serviceAccountName",
            "spark.kubernetes.container.image",
            "spark.yarn.maxAppAttempts",
            "spark.yarn.submit.waitAppCompletion",
            "spark.ssl.enabled",
            "spark.ssl.keyStore",
            "spark.ssl.keyStorePassword",
            "spark.ssl.keyStoreType",
            "spark.ssl.protocol");

    /** Settings whose names others complete. */
    private static final Pattern FREE = Pattern.compile("spark\\.(hadoop|executorEnv|gptq)\\..+"
            + "|spark\\.(driver|executor|worker|task)\\.resource\\.gpu\\.(amount|discoveryScript|vendor)");

    @Test
    void everyNameIsOneOfSparks() throws Exception {
        for (String name : DECLARATIONS) {
            Class.forName("org.apache.spark.internal.config." + name + "$");
        }
        Set<String> unknown = new TreeSet<>();
        int found = 0;
        for (Path file : files()) {
            Matcher keys = KEY.matcher(Files.readString(file));
            while (keys.find()) {
                found++;
                // Without the end of a sentence.
                String key = keys.group().replaceAll("\\.+$", "");
                // The group of the operator's resources is no setting.
                if (!key.equals("spark.apache.org") && !isKnown(key)) {
                    unknown.add(key + " in " + ConfFiles.HOME.relativize(file));
                }
            }
        }
        assertThat(found).isGreaterThan(60);
        assertThat(unknown).isEmpty();
    }

    private static boolean isKnown(String key) {
        return UNDECLARED.contains(key) || FREE.matcher(key).matches() || ConfigEntry$.MODULE$.findEntry(key) != null;
    }

    private static List<Path> files() throws IOException {
        try (Stream<Path> conf = Files.walk(ConfFiles.CONF)) {
            return conf.filter(file -> file.toString().matches(".*\\.(conf|yaml|py|md)"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "yarn/spark.conf",
                "standalone/spark.conf",
                "security/internal.conf",
                "security/ssl.conf",
                "security/storage.conf"
            })
    void theFilesAreReadBySparkAsTheyAreMeant(String name) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(ConfFiles.CONF.resolve(name), StandardCharsets.UTF_8)) {
            properties.load(reader);
        }
        SparkConf conf = new SparkConf(false);
        properties.forEach((key, value) -> conf.set((String) key, (String) value));

        assertThat(properties.stringPropertyNames()).isNotEmpty().allMatch(key -> key.startsWith("spark."));
        for (String key : properties.stringPropertyNames()) {
            var entry = ConfigEntry$.MODULE$.findEntry(key);
            if (entry != null) {
                // Throws when the value is not of the setting's type.
                conf.get(entry);
            }
        }
    }

    @Test
    void theRedactionOfLogsKeepsUserAndPasswordOutOfAddresses() throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(ConfFiles.CONF.resolve("security/internal.conf"))) {
            properties.load(reader);
        }
        Pattern text = Pattern.compile(properties.getProperty("spark.redaction.string.regex"));
        Pattern names = Pattern.compile(properties.getProperty("spark.redaction.regex"));

        assertThat(text.matcher("sftp://me:hunter2@host/model.onnx").replaceAll("***"))
                .isEqualTo("***host/model.onnx");
        assertThat(List.of(
                        "spark.hadoop.fs.s3a.secret.key",
                        "spark.hadoop.fs.s3a.access.key",
                        "spark.hadoop.fs.azure.account.key.x",
                        "spark.ssl.keyStorePassword",
                        "spark.executorEnv.MLFLOW_TRACKING_TOKEN"))
                .allMatch(key -> names.matcher(key).find());
    }
}
