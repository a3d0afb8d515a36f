package dev.gptq.jobs;

import dev.gptq.config.RunConfigReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows configurations; needs no Spark. */
@Command(
        name = "config",
        description = "Checks a configuration and prints it with every default filled in.",
        mixinStandardHelpOptions = true)
final class ConfigCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", arity = "0..1", paramLabel = "CONFIG.yaml", description = "The configuration to check.")
    private Path file;

    @Option(names = "--print-defaults", description = "Print a commented configuration with every key and its default.")
    private boolean printDefaults;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Set path.to.key; repeatable, the last one wins.")
    private List<String> overrides = new ArrayList<>();

    @Override
    public Integer call() {
        if (printDefaults == (file != null)) {
            throw new ParameterException(spec.commandLine(), "give either a configuration file or --print-defaults");
        }
        String yaml = printDefaults
                ? RunConfigReader.defaultsAsYaml(overrides)
                : RunConfigReader.toYaml(ConfigFile.read(file, overrides));
        spec.commandLine().getOut().print(yaml);
        spec.commandLine().getOut().flush();
        return 0;
    }
}
