package dev.gptq.jobs;

import dev.gptq.spark.run.Stage;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The main job: one configuration, one run. */
@Command(
        name = "quantize",
        description = "Quantizes a model as a configuration says, or resumes the run it began.",
        mixinStandardHelpOptions = true)
final class QuantizeCommand implements Callable<Integer> {
    @Mixin
    private RunArguments arguments;

    @Override
    public Integer call() {
        if (arguments.isDryRun()) {
            SparkJob.plan(Stage.REPORT, arguments.config());
        } else {
            SparkJob.run(arguments.config());
        }
        return 0;
    }
}
