package dev.gptq.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.gptq.GptqException;
import dev.gptq.calibrate.ActivationHistogram;
import dev.gptq.evaluate.Disagreement;
import dev.gptq.evaluate.Latency;
import dev.gptq.train.LearningRates;
import java.util.List;

/**
 * What the report shows beyond the metrics: the content of details.json, names in snake_case.
 *
 * @param latency one sample in ONNX Runtime, by model: float, ptq, gptq
 * @param learningRates null without training
 * @param rounding one per layer
 * @param activations one per quantized tensor that was observed
 * @param samples those on which float and trained model differ most, the worst first
 */
public record ReportDetails(
        List<Latency> latency,
        LearningRates learningRates,
        List<RoundingFlips> rounding,
        List<ActivationHistogram> activations,
        List<Sample> samples) {
    /** Nothing, for a run directory that has no such file. */
    public static final ReportDetails NONE = new ReportDetails(List.of(), null, List.of(), List.of(), List.of());

    /** Bins of an activation's histogram, at most. */
    public static final int BINS = 64;

    /** Steps of a learning rate's curve, at most. */
    public static final int POINTS = 200;

    public ReportDetails {
        latency = latency == null ? List.of() : List.copyOf(latency);
        rounding = rounding == null ? List.of() : List.copyOf(rounding);
        activations = activations == null ? List.of() : List.copyOf(activations);
        samples = samples == null ? List.of() : List.copyOf(samples);
    }

    /**
     * A sample of the evaluated dataset.
     *
     * @param image an input of it as {@link SampleImage} draws it, or null
     */
    public record Sample(Disagreement disagreement, String image) {}

    /** Content of details.json; a number that is not finite is written as null. */
    public String toJson() {
        try {
            return MetricsFile.MAPPER.writeValueAsString(this) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Details are plain data and always have a JSON form.", e);
        }
    }

    /**
     * Reads what {@link #toJson} wrote.
     *
     * @throws GptqException BAD_INPUT when it is no such file
     */
    public static ReportDetails fromJson(String json) {
        try {
            return MetricsFile.MAPPER.readValue(json, ReportDetails.class);
        } catch (JsonProcessingException e) {
            throw GptqException.badInput(
                    "Cannot read details: %s. Delete details.json and evaluate the run again.", e.getOriginalMessage());
        }
    }
}
