package dev.gptq.jobs;

import dev.gptq.config.RunConfig;
import dev.gptq.jobs.ocr.OcrExample;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A text recognizer from Maven Central on lines that are drawn here. */
@Command(
        name = "ocr",
        description =
                "Draws lines of text, quantizes the text recognizer PP-OCRv3 with them (conf/ocr.yaml of the project)"
                        + " and counts the characters that it still reads.",
        mixinStandardHelpOptions = true)
final class OcrCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Set path.to.key; repeatable, the last one wins.")
    private List<String> overrides = new ArrayList<>();

    @Option(
            names = "--calibration-lines",
            defaultValue = "64",
            description =
                    "Lines to calibrate and train with, where there is no file of them (default: ${DEFAULT-VALUE}).")
    private int calibrationLines;

    @Option(
            names = "--test-lines",
            defaultValue = "100",
            description = "Other lines, to count characters on (default: ${DEFAULT-VALUE}).")
    private int testLines;

    @Override
    public Integer call() {
        RunConfig config = QuickstartCommand.config(ProjectHome.find("ocr"), "ocr.yaml", overrides);
        OcrExample.draw(config, calibrationLines, testLines);
        SparkJob.run(config);
        Path run = Path.of(config.output().path());
        print("float", Path.of(config.model()), config);
        print("PTQ", run.resolve("ptq.onnx"), config);
        print("GPTQ", run.resolve("quantized.onnx"), config);
        return 0;
    }

    private void print(String name, Path model, RunConfig config) {
        String input = config.calibration().inputs().keySet().iterator().next();
        double accuracy = OcrExample.accuracy(model, OcrExample.characters(config), input, testLines);
        spec.commandLine()
                .getOut()
                .println(String.format(
                        Locale.ROOT, "%-6s reads %.4f of the characters of %d lines", name, accuracy, testLines));
    }
}
