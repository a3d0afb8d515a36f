package dev.gptq.spark.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.hessian.LossWeights;

/** loss_weights.json; numbers come back with the same bits. */
final class LossWeightsFile {
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

    private LossWeightsFile() {}

    static String toJson(LossWeights weights) {
        try {
            return JSON.writeValueAsString(weights) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    static LossWeights fromJson(String json) {
        try {
            return JSON.readValue(json, LossWeights.class);
        } catch (JsonProcessingException e) {
            throw new GptqException(
                    ErrorCode.IO,
                    "Cannot read loss_weights.json: " + e.getOriginalMessage() + ". Delete it and start the run again.",
                    e);
        }
    }
}
