package dev.gptq.config;

import java.io.Serializable;

/** Where the run directory is, and whether a finished or different run in it may be replaced. */
public record OutputConfig(String path, boolean overwrite) implements Serializable {
    public OutputConfig {
        Check.text(path, "path", "Set it to the run directory to write, for example target/run");
    }
}
