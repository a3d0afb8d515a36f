package dev.gptq.spark.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import dev.gptq.config.TrainingConfig;
import java.io.IOException;
import java.util.List;

/**
 * What makes two runs the same: configuration (without where output goes and how gradients meet), model bytes, and the data files with their sizes
 * and times. Kept as run.json; a directory is resumed by a run with an equal fingerprint only.
 *
 * @param data files of the calibration dataset, then of the evaluation dataset
 */
record Fingerprint(String config, String modelCrc32c, List<String> data) {
    static final String FILE_NAME = "run.json";

    private static final OutputConfig ANYWHERE = new OutputConfig("run", false);
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    Fingerprint {
        data = List.copyOf(data);
    }

    static Fingerprint of(RunConfig config, String modelCrc32c, List<String> data) {
        TrainingConfig training = config.training();
        RunConfig elsewhere = new RunConfig(
                config.model(),
                config.calibration(),
                config.evaluation(),
                config.recipe(),
                config.quantization(),
                config.gptq(),
                new TrainingConfig(
                        training.batchSize(),
                        training.lanes(),
                        training.checkpointInterval(),
                        training.checkpointsKept()),
                ANYWHERE,
                config.seed(),
                config.device(),
                config.allowUserClasses());
        return new Fingerprint(RunConfigReader.toYaml(elsewhere), modelCrc32c, data);
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
