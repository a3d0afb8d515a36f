package dev.gptq.spark.task;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.apache.spark.resource.ResourceInformation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** The files of conf/gpu. */
class GpuConfigurationsTest {
    private static final Path FOLDER = Path.of("..", "conf", "gpu");
    private static final Pattern COMMENTED = Pattern.compile("(?m)^#\\s{2,}(spark\\.\\S+)\\s+(\\S+)$");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"standalone.conf, spark://host:7077", "yarn.conf, yarn", "kubernetes.conf, k8s://https://host:6443"})
    void stagesThatComputeAskForGpusAndOthersDoNot(String file, String master) throws IOException {
        ComputeDevices devices = new DeviceChoice(settings(file, master), false, Map.of()).choose("gpu", 0.5);

        assertThat(devices.profile().taskResourcesJMap().get("gpu").amount()).isEqualTo(0.5);
        assertThat(settings(file, master).contains("spark.task.resource.gpu.amount"))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "standalone.conf, spark.worker.resource.gpu.discoveryScript",
        "yarn.conf, spark.files",
        "kubernetes.conf, spark.executor.resource.gpu.discoveryScript"
    })
    void scriptsAreNamedAsTheyAreHere(String file, String key) throws IOException {
        Properties settings = properties(file);
        Matcher commented = COMMENTED.matcher(Files.readString(FOLDER.resolve(file)));
        while (commented.find()) {
            settings.putIfAbsent(commented.group(1), commented.group(2));
        }

        assertThat(settings.getProperty(key)).endsWith("conf/gpu/find-gpus.sh");
        assertThat(FOLDER.resolve("find-gpus.sh")).isExecutable();
    }

    @Test
    void theSettingsForDynamicAllocationGiveComputingStagesExecutorsOfTheirOwn() throws IOException {
        SparkConf conf = new SparkConf(false).set("spark.master", "k8s://https://host:6443");
        Matcher commented = COMMENTED.matcher(Files.readString(FOLDER.resolve("kubernetes.conf")));
        while (commented.find()) {
            conf.set(commented.group(1), commented.group(2));
        }

        ComputeDevices devices = new DeviceChoice(conf, false, Map.of()).choose("gpu", 1);

        assertThat(devices.profile().executorResourcesJMap().get("gpu").vendor())
                .isEqualTo("nvidia.com");
    }

    @ParameterizedTest
    @CsvSource(
            value = {
                "echo 0|''|0",
                "printf '0\\n1\\n7\\n'|''|0 1 7",
                "printf 'No devices were found\\n'; exit 6|''|''",
                "printf 'WARNING: infoROM is corrupted at gpu\\n0\\n\"},rm\\n'|''|0",
                "echo [Unknown Error]|''|''",
                "exit 127|''|''",
                "echo 0|2,5|2 5",
                "echo 0|GPU-1a-2b, GPU-3c|GPU-1a-2b GPU-3c",
            },
            delimiter = '|')
    @DisabledOnOs(OS.WINDOWS)
    void theScriptsAnswerIsWhatSparkReads(String answer, String visible, String addresses) throws Exception {
        Path tool = Files.writeString(folder.resolve("nvidia-smi"), "#!/bin/sh\n" + answer + "\n");
        assertThat(tool.toFile().setExecutable(true)).isTrue();

        String json = output(tool.toString(), visible);

        JsonNode parsed = new ObjectMapper().readTree(json);
        assertThat(parsed.get("name").asText()).isEqualTo("gpu");
        String[] expected = addresses.isEmpty() ? new String[0] : addresses.split(" ");
        assertThat(ResourceInformation.parseJson(json).addresses()).isEqualTo(expected);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void withoutTheToolThereAreNoGpus() throws Exception {
        assertThat(output("/nowhere/nvidia-smi", ""))
                .isEqualToIgnoringNewLines("{\"name\": \"gpu\", \"addresses\": []}");
    }

    private String output(String tool, String visible) throws IOException, InterruptedException {
        Path out = folder.resolve("out");
        ProcessBuilder builder = new ProcessBuilder(
                        FOLDER.resolve("find-gpus.sh").toAbsolutePath().toString())
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("NVIDIA_SMI", tool);
        builder.environment().put("CUDA_VISIBLE_DEVICES", visible);
        assertThat(builder.start().waitFor()).isZero();
        return Files.readString(out);
    }

    private static SparkConf settings(String file, String master) throws IOException {
        SparkConf conf = new SparkConf(false).set("spark.master", master);
        properties(file).forEach((key, value) -> conf.set((String) key, (String) value));
        return conf;
    }

    private static Properties properties(String file) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(FOLDER.resolve(file), StandardCharsets.UTF_8)) {
            properties.load(reader);
        }
        assertThat(properties.stringPropertyNames()).allMatch(key -> key.startsWith("spark."));
        return properties;
    }
}
