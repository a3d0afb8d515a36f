package dev.gptq.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A named set of values for keys that a configuration leaves out. Each value is a default that anything written wins over:
 * the file, overrides, and what the target named by quantization.preset decides. A loss or weighting that is written
 * replaces the recipe's with what belongs to it. RECIPES.md says what each recipe is for and what its parts gave.
 */
public enum Recipe {
    /** The defaults of Sony's Model Compression Toolkit. */
    MCT,
    /** More accurate at few bits: what the literature offers and measurements confirmed. */
    ACCURATE;

    private static final String TYPE = "type";
    private static final String SECTION = "gptq";
    /** Keys whose value fits one loss and its weights only. */
    private static final Set<String> WEIGHTED_BY = Set.of("loss", "regularization_factor");

    /** A builder of the gptq section whose start is this recipe. */
    public GradientPTQConfigBuilder gptq() {
        return GptqSectionReader.builder(settings().section(SECTION));
    }

    /** The default preset with what this recipe says of quantization. */
    public QuantizationConfig quantization() {
        return RunConfigMapper.quantization(settings().section("quantization"));
    }

    /** The data-parallel loop of this recipe. */
    public TrainingConfig training() {
        return RunConfigMapper.training(settings().section("training"));
    }

    /** {@code written} on top of this recipe's values. */
    ConfigNode.Mapping under(ConfigNode.Mapping written) {
        ConfigNode.Mapping values = keys();
        if (values.entries().get(SECTION) instanceof ConfigNode.Mapping gptq && choosesWeighting(written)) {
            values = values.with(SECTION, gptq.without(WEIGHTED_BY));
        }
        return merge(values, written);
    }

    /** Whether loss and Hessian weights are written, which have to fit each other. */
    private static boolean choosesWeighting(ConfigNode.Mapping written) {
        return written.entries().get(SECTION) instanceof ConfigNode.Mapping gptq
                && (gptq.entries().containsKey("loss")
                        || gptq.entries().get("hessian_weights_config") instanceof ConfigNode.Mapping hessian
                                && hessian.entries().containsKey("per_sample"));
    }

    private Settings settings() {
        return Settings.root(keys(), toString());
    }

    private ConfigNode.Mapping keys() {
        String file = "recipe-" + this + ".yaml";
        try (InputStream resource = Recipe.class.getResourceAsStream(file)) {
            String yaml = new String(resource.readAllBytes(), StandardCharsets.UTF_8);
            return (ConfigNode.Mapping) YamlParser.parseFile(yaml, "recipe " + this);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + file + " of the class path.", e);
        }
    }

    /** Key by key, except that a section of another type keeps nothing: SGD has no use for Adam's learning rate. */
    private static ConfigNode.Mapping merge(ConfigNode.Mapping below, ConfigNode.Mapping above) {
        if (isOfAnotherType(below, above)) {
            return above;
        }
        ConfigNode.Mapping merged = below;
        for (Map.Entry<String, ConfigNode> entry : above.entries().entrySet()) {
            ConfigNode value = entry.getValue();
            if (value instanceof ConfigNode.Mapping section
                    && below.entries().get(entry.getKey()) instanceof ConfigNode.Mapping lower) {
                value = merge(lower, section);
            }
            merged = merged.with(entry.getKey(), value);
        }
        return merged;
    }

    private static boolean isOfAnotherType(ConfigNode.Mapping below, ConfigNode.Mapping above) {
        return above.entries().get(TYPE) instanceof ConfigNode.Scalar type
                && below.entries().get(TYPE) instanceof ConfigNode.Scalar other
                && !type.text().equalsIgnoreCase(other.text());
    }

    /** The name in YAML. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
