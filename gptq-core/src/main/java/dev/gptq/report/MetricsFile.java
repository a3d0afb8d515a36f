package dev.gptq.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.calibrate.LeftInFloat;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.evaluate.BlockMetrics;
import dev.gptq.hessian.LossWeights;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Builds and writes metrics.json. */
public final class MetricsFile {
    static final JsonMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .addModule(FiniteNumbers.module())
            .build();

    private MetricsFile() {}

    /**
     * Metrics of a run from the folded sums of all evaluated blocks.
     *
     * @param leftInFloat nodes that are not quantized
     * @param modelBytes file sizes by model: {@code float}, {@code ptq}, {@code gptq}; absent ones stay null
     */
    public static RunMetrics build(
            BlockMetrics sums,
            QuantizationPlan plan,
            List<LeftInFloat> leftInFloat,
            LossWeights weights,
            Map<String, Double> timing,
            RunMetrics.Training training,
            Map<String, Long> modelBytes) {
        List<RunMetrics.Layer> layers = new ArrayList<>();
        for (int i = 0; i < plan.weights().size(); i++) {
            WeightQuantizer quantizer = plan.weights().get(i);
            layers.add(new RunMetrics.Layer(
                    quantizer.point().name(),
                    quantizer.bits(),
                    weights.perLayer()[i],
                    sums.sqnrPtqDb(i),
                    sums.sqnrGptqDb(i)));
        }
        return new RunMetrics(
                new RunMetrics.ModelMetrics(sums.floatTop1(), null, null, null, modelBytes.get("float")),
                quantized(sums.ptq(), modelBytes.get("ptq")),
                quantized(sums.gptq(), modelBytes.get("gptq")),
                new LinkedHashMap<>(timing),
                new RunMetrics.EngineAgreement(
                        sums.engineAgreement().top1(), sums.engineAgreement().withinOneStep()),
                training,
                List.copyOf(layers),
                leftInFloat);
    }

    private static RunMetrics.ModelMetrics quantized(BlockMetrics.ModelScores scores, Long bytes) {
        return new RunMetrics.ModelMetrics(scores.top1(), scores.sqnrDb(), scores.cosine(), scores.agreement(), bytes);
    }

    /** The file's content; a number that is not finite is written as null, which every JSON reader takes. */
    public static String toJson(RunMetrics metrics) {
        try {
            return MAPPER.writeValueAsString(metrics) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Metrics are plain data and always have a JSON form.", e);
        }
    }

    /**
     * Reads what {@link #toJson} wrote.
     *
     * @throws GptqException BAD_INPUT when it is no metrics file
     */
    public static RunMetrics fromJson(String json) {
        try {
            return MAPPER.readValue(json, RunMetrics.class);
        } catch (JsonProcessingException e) {
            throw new GptqException(
                    ErrorCode.BAD_INPUT,
                    "Cannot read metrics: " + e.getOriginalMessage() + ". Give the metrics.json of a finished run.",
                    e);
        }
    }
}
