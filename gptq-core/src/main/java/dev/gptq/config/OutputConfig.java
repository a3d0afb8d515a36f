package dev.gptq.config;

import java.io.Serializable;

/**
 * The run directory.
 *
 * @param overwrite whether a finished or different run in it may be replaced
 * @param keepSamples whether the decoded samples stay there when the run is complete
 */
public record OutputConfig(String path, boolean overwrite, boolean keepSamples) implements Serializable {
    public OutputConfig {
        Check.text(path, "path", "Set it to the run directory to write, for example target/run");
    }

    /** Without keeping samples. */
    public OutputConfig(String path, boolean overwrite) {
        this(path, overwrite, false);
    }
}
