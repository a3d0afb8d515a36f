package dev.gptq.jobs;

import dev.gptq.config.RunConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What every command of a run takes. */
final class RunArguments {
    @Parameters(index = "0", paramLabel = "CONFIG.yaml", description = "The run's configuration.")
    private Path file;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Set path.to.key; repeatable, the last one wins.")
    private List<String> overrides = new ArrayList<>();

    @Option(
            names = "--dry-run",
            description =
                    "Check configuration, model, data, run directory and cluster, print the plan, and compute nothing.")
    private boolean dryRun;

    boolean isDryRun() {
        return dryRun;
    }

    /** The configuration with its overrides. */
    RunConfig config() {
        return ConfigFile.read(file, overrides);
    }
}
