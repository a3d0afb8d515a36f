package dev.gptq.spark.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.gptq.Redaction;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import dev.gptq.config.TrackingConfig;
import dev.gptq.config.TrainingConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What makes two runs the same: version of spark-gptq, configuration (without where the model lies and output goes, how
 * gradients meet and how often they are saved), kind of device, model bytes, and the data files with their sizes and times.
 * Kept as run.json; a directory is resumed by a run with an equal fingerprint only.
 *
 * @param version another one may compute other numbers
 * @param data files of the calibration dataset, then of the evaluation dataset
 */
record Fingerprint(String version, String config, String modelCrc32c, List<String> data) {
    static final String FILE_NAME = "run.json";

    /** In place of the model's path: what counts is its content. */
    private static final String ANY_MODEL = "model.onnx";

    private static final OutputConfig ANYWHERE = new OutputConfig("run", false);
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    Fingerprint {
        config = Redaction.text(config);
        data = data.stream().map(Redaction::text).toList();
    }

    /** {@code device} is what the configured one means in this application, cpu or gpu: numbers differ between them. */
    static Fingerprint of(RunConfig config, String device, String modelCrc32c, List<String> data) {
        TrainingConfig training = config.training();
        TrainingConfig anyInterval = TrainingConfig.defaults();
        RunConfig elsewhere = new RunConfig(
                ANY_MODEL,
                config.calibration(),
                config.evaluation(),
                config.recipe(),
                config.quantization(),
                config.gptq(),
                new TrainingConfig(
                        training.batchSize(),
                        training.lanes(),
                        training.shuffle(),
                        anyInterval.checkpointInterval(),
                        anyInterval.checkpointsKept(),
                        anyInterval.exchange()),
                ANYWHERE,
                config.seed(),
                device,
                1,
                config.allowUserClasses(),
                TrackingConfig.NONE);
        return new Fingerprint(ProductVersion.read(), RunConfigReader.toYaml(elsewhere), modelCrc32c, data);
    }

    /** Whether {@code other} is this one but for the version. */
    boolean equalsButForVersion(Fingerprint other) {
        return other != null && new Fingerprint(version, other.config, other.modelCrc32c, other.data).equals(this);
    }

    /** What {@code other} has differently, for people: "seed is 2 there and 1 here". Empty when the two are equal. */
    List<String> differences(Fingerprint other) {
        List<String> differences = new ArrayList<>();
        if (!version.equals(other.version)) {
            String theirs = other.version == null ? "older" : other.version;
            differences.add("the version of spark-gptq is %s there and %s here".formatted(theirs, version));
        }
        Map<String, String> here = values(config);
        Map<String, String> there = values(other.config);
        Set<String> keys = new LinkedHashSet<>(here.keySet());
        keys.addAll(there.keySet());
        for (String key : keys) {
            String mine = here.getOrDefault(key, "absent");
            String theirs = there.getOrDefault(key, "absent");
            if (!mine.equals(theirs)) {
                differences.add("%s is %s there and %s here".formatted(key, theirs, mine));
            }
        }
        if (!modelCrc32c.equals(other.modelCrc32c)) {
            differences.add("the model's content differs");
        }
        if (!data.equals(other.data)) {
            differences.add("the data files' names, sizes or times differ");
        }
        return differences;
    }

    private static Map<String, String> values(String yaml) {
        Map<String, String> values = new TreeMap<>();
        addValues("", Manifest.parseConfig(yaml), values);
        return values;
    }

    private static void addValues(String path, JsonNode node, Map<String, String> values) {
        if (node.isObject() && !node.isEmpty()) {
            node.properties()
                    .forEach(entry -> addValues(
                            path.isEmpty() ? entry.getKey() : path + "." + entry.getKey(), entry.getValue(), values));
        } else {
            values.put(path, node.isValueNode() ? node.asText() : node.toString());
        }
    }

    /** Hash of the configuration, in hexadecimal digits. */
    String configSha256() {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(config.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    String toJson() {
        try {
            return JSON.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Null when the text is no fingerprint. */
    static Fingerprint fromJson(String json) {
        try {
            return JSON.readValue(json, Fingerprint.class);
        } catch (IOException e) {
            return null;
        }
    }
}
