package dev.gptq.jobs;

import dev.gptq.config.DatasetConfig;
import dev.gptq.config.RunConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The main job on the model and data that come with the project. */
@Command(
        name = "quickstart",
        description = "Quantizes a small Fashion-MNIST model to 2-bit weights: conf/quickstart.yaml of the project.",
        mixinStandardHelpOptions = true)
final class QuickstartCommand implements Callable<Integer> {
    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Set path.to.key; repeatable, the last one wins.")
    private List<String> overrides = new ArrayList<>();

    @Override
    public Integer call() {
        SparkJob.run(config(ProjectHome.find("quickstart"), "quickstart.yaml", overrides));
        return 0;
    }

    /** A configuration of {@code conf}; its own paths belong to the project, those of overrides to the working directory. */
    static RunConfig config(Path home, String name, List<String> overrides) {
        Path file = home.resolve("conf").resolve(name);
        RunConfig shipped = ConfigFile.read(file, List.of());
        List<String> all = new ArrayList<>();
        all.add(absolute("model", home, shipped.model()));
        all.add(absolute("data.calibration.path", home, shipped.calibration().path()));
        DatasetConfig evaluation = shipped.evaluation();
        if (evaluation != null) {
            all.add(absolute("data.evaluation.path", home, evaluation.path()));
        }
        all.add(absolute("output.path", home, shipped.output().path()));
        all.addAll(overrides);
        return ConfigFile.read(file, all);
    }

    private static String absolute(String key, Path home, String path) {
        return key + "='" + home.resolve(path).toString().replace("'", "''") + "'";
    }
}
