package dev.gptq.config;

import dev.gptq.GptqException;
import java.util.List;
import java.util.Map;

/**
 * YAML plus overrides -> RunConfig.
 *
 * <p>Precedence, highest first: overrides in order (the later one wins), the file, the preset named by
 * quantization.preset (for what it says of activations), the recipe, the defaults. An override replaces the value at its
 * path, so a section given as a value replaces the file's whole section; below either, key by key, are the recipe's values,
 * except in a section to which another {@code type} was given. Null switches an optional section off.
 */
public final class RunConfigReader {
    private static final String EXAMPLE =
            """
            model: model.onnx
            data:
              calibration: {path: calibration.parquet, inputs: {input: {column: input}}}
              evaluation: {path: evaluation.parquet, label: label}
            gptq: {n_epochs: 5}
            output: {path: target/run}
            """;

    private static final String HEADER =
            """
            # Every key of a configuration with its meaning and what it may be. The value shown is the default; where the
            # comment says "Required" it is an example. What comments say of gptq.optimizer holds for the other optimizers.
            # Any key can be set on the command line as well: --set gptq.n_epochs=10

            """;

    private RunConfigReader() {}

    /**
     * Reads a configuration.
     *
     * @param yaml the file's text
     * @param source what messages call the file
     * @param overrides "path.to.key=value" with a YAML value
     * @throws GptqException BAD_INPUT with key, value, place and remedy
     */
    public static RunConfig read(String yaml, String source, List<String> overrides) {
        ConfigNode parsed = YamlParser.parseFile(yaml, source);
        if (parsed.isNull()) {
            parsed = new ConfigNode.Mapping(Map.of(), source);
        }
        if (!(parsed instanceof ConfigNode.Mapping root)) {
            throw GptqException.badInput(
                    "Cannot read %s: it holds %s and not keys with values. Start from the output of 'gptq config "
                            + "--print-defaults'.",
                    source, parsed instanceof ConfigNode.Scalar ? "a single value" : "a list");
        }
        for (String override : overrides) {
            root = Overrides.apply(root, override);
        }
        ConfigKeys.checkKnown(root);
        Recipe recipe = Settings.root(root, source).constant("recipe", Recipe.class, Recipe.MCT);
        return RunConfigMapper.map(Settings.root(recipe.under(root), source));
    }

    /** A commented YAML of every key with its default, which can itself be read. */
    public static String defaultsAsYaml() {
        return defaultsAsYaml(List.of());
    }

    /** The same with some keys set: {@code recipe=accurate} gives the defaults of that recipe. */
    public static String defaultsAsYaml(List<String> overrides) {
        return HEADER + YamlPrinter.commented(RunConfigWriter.tree(read(EXAMPLE, "the example", overrides)));
    }

    /** The canonical YAML of a configuration (keys in fixed order): basis of the config hash and of the manifest. */
    public static String toYaml(RunConfig config) {
        return YamlPrinter.plain(RunConfigWriter.tree(config));
    }
}
