package dev.gptq.jobs;

import dev.gptq.spark.run.Stage;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;

/** One stage of a run, with those before it that are not done yet; a command per stage. */
@Command(mixinStandardHelpOptions = true)
final class StageCommand implements Callable<Integer> {
    private static final Map<Stage, String> DESCRIPTIONS = new EnumMap<>(Map.of(
            Stage.CALIBRATE, "collect activation statistics and plan the quantization",
            Stage.HESSIAN, "score samples and layers",
            Stage.TRAIN, "learn the rounding",
            Stage.EXPORT, "write the quantized models",
            Stage.EVALUATE, "compare the quantized models with the float one; again in a finished run",
            Stage.REPORT, "write the report and complete the run; again in a finished run"));

    private final Stage stage;

    @Mixin
    private RunArguments arguments;

    private StageCommand(Stage stage) {
        this.stage = stage;
    }

    /** Adds a command for every stage that can be asked for. */
    static void addTo(CommandLine line) {
        DESCRIPTIONS.forEach((stage, description) -> {
            CommandSpec spec = CommandSpec.forAnnotatedObject(new StageCommand(stage));
            spec.name(stage.label());
            spec.usageMessage()
                    .description("Runs quantize up to the stage %s: %s.".formatted(stage.label(), description));
            line.addSubcommand(stage.label(), spec);
        });
    }

    @Override
    public Integer call() {
        if (arguments.isDryRun()) {
            SparkJob.plan(stage, arguments.config());
        } else {
            SparkJob.runUntil(stage, arguments.config());
        }
        return 0;
    }
}
