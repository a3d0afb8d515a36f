package dev.gptq.jobs;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The main job: one configuration, one run. */
@Command(
        name = "quantize",
        description = "Quantizes a model as a configuration says, or resumes the run it began.",
        mixinStandardHelpOptions = true)
final class QuantizeCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "CONFIG.yaml", description = "The run's configuration.")
    private Path file;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Set path.to.key; repeatable, the last one wins.")
    private List<String> overrides = new ArrayList<>();

    @Override
    public Integer call() {
        SparkJob.run(ConfigFile.read(file, overrides));
        return 0;
    }
}
