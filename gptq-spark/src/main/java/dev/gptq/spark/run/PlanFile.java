package dev.gptq.spark.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.calibrate.QuantizationPlan;

/** plan.json; numbers come back with the same bits. */
final class PlanFile {
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

    private PlanFile() {}

    static String toJson(QuantizationPlan plan) {
        try {
            return JSON.writeValueAsString(plan) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    static QuantizationPlan fromJson(String json) {
        try {
            return JSON.readValue(json, QuantizationPlan.class);
        } catch (JsonProcessingException e) {
            throw new GptqException(
                    ErrorCode.IO,
                    "Cannot read plan.json: " + e.getOriginalMessage()
                            + ". Delete it and the folder checkpoints, and start the run again.",
                    e);
        }
    }
}
