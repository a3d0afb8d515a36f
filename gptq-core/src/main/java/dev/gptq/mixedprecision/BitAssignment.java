package dev.gptq.mixedprecision;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gptq.GptqException;
import dev.gptq.config.LayerOverride;
import dev.gptq.config.LayersYaml;
import dev.gptq.config.QuantizationConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The bits that a search chose; the content of mixed_precision.json.
 *
 * @param sensitivity how effects on the outputs were measured
 * @param samples on how many samples
 * @param noise sum over layers and activations of the noise that quantizing each alone adds to the model's outputs, as a
 *     share of their energy
 * @param lowerBound no choice within the budget has a lower sum
 * @param gap by how much of {@code noise} another choice might be better; 0: none is
 * @param budget what was limited
 * @param layers all quantized kernels in topological order, those with given bits among them
 * @param activations in graph order, where any were chosen; else none
 */
public record BitAssignment(
        String sensitivity,
        long samples,
        double noise,
        double lowerBound,
        double gap,
        List<BudgetUse> budget,
        List<Layer> layers,
        List<Activation> activations) {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    /**
     * A limit.
     *
     * @param name its key in the configuration
     * @param used by the choice; {@code least} by the least bits everywhere
     */
    public record BudgetUse(String name, double limit, double used, double least) {}

    /**
     * A kernel.
     *
     * @param weights number of its elements
     * @param multiplications per sample, on average
     * @param candidates the bits to choose from; a single one was given
     * @param noise by candidate, as a share of the outputs' energy
     */
    public record Layer(
            String name, int bits, long weights, long multiplications, List<Integer> candidates, double[] noise) {}

    /**
     * An activation quantizer.
     *
     * @param values per sample, on average
     * @param candidates the bits to choose from; a single one was given
     * @param noise by candidate, as a share of the outputs' energy; empty where the bits were given
     */
    public record Activation(String name, int bits, long values, List<Integer> candidates, double[] noise) {}

    public BitAssignment {
        budget = List.copyOf(budget);
        layers = List.copyOf(layers);
        activations = List.copyOf(activations);
    }

    /**
     * The configuration that gives every layer the chosen bits: {@code config} with an override for each, behind its own
     * ones, and without mixed precision.
     */
    public QuantizationConfig apply(QuantizationConfig config) {
        List<LayerOverride> chosen = new ArrayList<>();
        layers.forEach(
                layer -> chosen.add(LayerOverride.ofWeights(layer.name(), LayerOverride.Values.ofBits(layer.bits()))));
        activations.forEach(activation -> chosen.add(
                LayerOverride.ofActivations(activation.name(), LayerOverride.Values.ofBits(activation.bits()))));
        // A name may hold the characters of patterns; those that match more come before those they would overrule.
        List<String> names = chosen.stream().map(LayerOverride::name).toList();
        chosen.sort(Comparator.comparingLong(
                override -> -names.stream().filter(override::matches).count()));
        List<LayerOverride> all = new ArrayList<>(config.layers());
        all.addAll(chosen);
        return config.withLayers(all).withMixedPrecision(null);
    }

    /** {@link #apply} as YAML that replaces these keys of the run's configuration. */
    public String toYaml(QuantizationConfig config) {
        return LayersYaml.of(apply(config).layers());
    }

    /** Content of mixed_precision.json; every number comes back exactly. */
    public String toJson() {
        try {
            return JSON.writeValueAsString(this) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Numbers and names always have a JSON form.", e);
        }
    }

    /**
     * Reads what {@link #toJson} wrote.
     *
     * @throws GptqException BAD_INPUT when the text is not such a file
     */
    public static BitAssignment fromJson(String json) {
        try {
            return JSON.readValue(json, BitAssignment.class);
        } catch (JsonProcessingException e) {
            throw GptqException.badInput(
                    "Cannot read the chosen bits: %s. Delete mixed_precision.json and plan.json and start the run again.",
                    e.getOriginalMessage());
        }
    }
}
