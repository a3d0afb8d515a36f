package dev.gptq.spark.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.spark.data.RunFiles;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * Content of MANIFEST.json: what a run was made from, and what it consists of.
 *
 * @param inputs model, calibration and evaluation with what identifies their content
 * @param device what tasks computed on, cpu or gpu
 * @param numericPromise which bits another run of the same has
 * @param files null while they are not all written
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record Manifest(
        JsonNode config,
        Map<String, String> versions,
        long seed,
        String device,
        String numericPromise,
        String created,
        Map<String, Input> inputs,
        List<RunFiles.Checksum> files) {
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

    /**
     * A model or dataset; the checksum of a dataset is that of its sample store's index, which holds those of all files.
     *
     * @param samples null for a model
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Input(String path, Long samples, String crc32c) {}

    static String promise(boolean gpus) {
        return gpus
                ? "statistical: on GPUs another run's numbers are close to these, not equal"
                : "bitwise: on CPUs, with these versions and this cpu_capability, every run has the same bits, whatever "
                        + "the cluster";
    }

    /** By SnakeYAML itself: Jackson's parser does not take YAML's infinity, which is the default of z_threshold. */
    static JsonNode parseConfig(String yaml) {
        Object config = new Yaml(new SafeConstructor(new LoaderOptions())).load(yaml);
        return JSON.valueToTree(config);
    }

    /** The same with other files; null for none. */
    Manifest withFiles(List<RunFiles.Checksum> checksums) {
        return new Manifest(
                config,
                versions,
                seed,
                device,
                numericPromise,
                created,
                inputs,
                checksums == null ? null : List.copyOf(checksums));
    }

    /** @throws GptqException IO when it is none */
    static Manifest fromJson(String json) {
        try {
            return JSON.readValue(json, Manifest.class);
        } catch (JsonProcessingException e) {
            throw new GptqException(
                    ErrorCode.IO,
                    "Cannot read MANIFEST.json: " + e.getOriginalMessage()
                            + ". Delete it; the same run then completes itself again.",
                    e);
        }
    }

    String toJson() {
        try {
            return JSON.writeValueAsString(this) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
