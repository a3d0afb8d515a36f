package dev.gptq.config;

import java.util.List;

/** YAML plus overrides -> RunConfig. */
public final class RunConfigReader {
    private RunConfigReader() {}

    /**
     * Reads a configuration. Precedence, highest first: overrides in order (later wins), the file, preset, defaults.
     *
     * @param yaml the file's text
     * @param source what messages call the file
     * @param overrides "path.to.key=value" with a YAML value
     * @throws dev.gptq.GptqException BAD_INPUT with key, value and remedy
     */
    public static RunConfig read(String yaml, String source, List<String> overrides) {
        throw new UnsupportedOperationException();
    }

    /** A commented YAML of every key with its default. */
    public static String defaultsAsYaml() {
        throw new UnsupportedOperationException();
    }

    /** The canonical YAML of a configuration (keys in fixed order): basis of the config hash and of the manifest. */
    public static String toYaml(RunConfig config) {
        throw new UnsupportedOperationException();
    }
}
