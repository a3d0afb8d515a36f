package dev.gptq.spark.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.gptq.spark.data.RunFiles;
import java.util.Map;

/** timing.json: the seconds of a run's stages over all processes that worked on it, each known once its stage has ended. */
final class StageSeconds {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private StageSeconds() {}

    /** What earlier processes took; nothing where that is not known. */
    static Map<String, Double> read(RunFiles files) {
        if (!files.exists(RunDirectory.TIMING)) {
            return Map.of();
        }
        try {
            return JSON.readValue(files.readText(RunDirectory.TIMING), new TypeReference<Map<String, Double>>() {});
        } catch (JsonProcessingException e) {
            // Nobody's result depends on it.
            return Map.of();
        }
    }

    static void write(RunFiles files, Map<String, Double> timing) {
        try {
            files.writeText(RunDirectory.TIMING, JSON.writeValueAsString(timing) + "\n");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
