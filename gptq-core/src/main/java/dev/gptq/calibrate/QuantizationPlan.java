package dev.gptq.calibrate;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gptq.GptqException;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SamplePlace;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * Every quantizer of a model: weights in compare-point order, activations in graph order. The content of plan.json.
 *
 * @param corrections what makes the prepared graph the one that the quantizers are for, see {@link CorrectedGraph}
 * @param starts what training rounds in place of the float kernels; not in the file
 */
public record QuantizationPlan(
        List<WeightQuantizer> weights,
        List<ActivationQuantizer> activations,
        List<GraphCorrection> corrections,
        @JsonIgnore StartingKernels starts)
        implements Serializable {
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    public QuantizationPlan {
        weights = List.copyOf(weights);
        activations = List.copyOf(activations);
        // Absent from a file of a run that corrected nothing.
        corrections = corrections == null ? List.of() : List.copyOf(corrections);
        starts = starts == null ? StartingKernels.NONE : starts;
    }

    /** A plan whose kernels start as they are. */
    public QuantizationPlan(
            List<WeightQuantizer> weights, List<ActivationQuantizer> activations, List<GraphCorrection> corrections) {
        this(weights, activations, corrections, StartingKernels.NONE);
    }

    /** A plan for the prepared graph as it is. */
    public QuantizationPlan(List<WeightQuantizer> weights, List<ActivationQuantizer> activations) {
        this(weights, activations, List.of());
    }

    /** The layers whose kernels are quantized. */
    public List<ComparePoint> points() {
        return weights.stream().map(WeightQuantizer::point).toList();
    }

    /**
     * The plan for kernels that start elsewhere. Their quantizers are those without corrections of the rounding to nearest, as
     * they are rounded otherwise.
     */
    public QuantizationPlan withStarts(StartingKernels kernels) {
        List<WeightQuantizer> uncorrected = weights.stream()
                .map(quantizer -> kernels.has(quantizer) ? quantizer.withoutCorrections() : quantizer)
                .toList();
        return new QuantizationPlan(uncorrected, activations, corrections, kernels);
    }

    /** What a quantizer of this plan is for: its kernel's start, or the constant of {@code graph} where it has none. */
    public TensorData kernel(Graph graph, WeightQuantizer quantizer) {
        return starts.has(quantizer)
                ? starts.of(quantizer)
                : graph.constants().get(quantizer.point().weight());
    }

    /** The same quantizers for layers whose outputs have their samples at these places, by tensor. */
    public QuantizationPlan withPlaces(Map<String, SamplePlace> places) {
        List<WeightQuantizer> placed = weights.stream()
                .map(quantizer -> quantizer.of(quantizer.point().at(places)))
                .toList();
        return new QuantizationPlan(placed, activations, corrections, starts);
    }

    /** Content of plan.json; every number comes back exactly. */
    public String toJson() {
        try {
            return MAPPER.writeValueAsString(this) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Cannot write quantization plan as JSON.", e);
        }
    }

    /**
     * Reads what {@link #toJson} wrote.
     *
     * @throws GptqException BAD_INPUT when the text is not such a file
     */
    public static QuantizationPlan fromJson(String json) {
        try {
            return MAPPER.readValue(json, QuantizationPlan.class);
        } catch (JsonProcessingException e) {
            throw GptqException.badInput(
                    "Cannot read quantization plan: %s. Delete plan.json and the folder checkpoints, and start"
                            + " the run again.",
                    e.getOriginalMessage());
        }
    }
}
