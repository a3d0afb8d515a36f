package dev.gptq.jobs;

import dev.gptq.report.RunMetrics;
import dev.gptq.report.RunMetrics.ModelMetrics;
import dev.gptq.spark.run.RunArtifacts;
import dev.gptq.spark.run.RunResult;
import dev.gptq.spark.run.Stage;
import java.util.Locale;

/** The last lines of a run: how the three models compare and where everything is. */
final class RunSummary {
    private RunSummary() {}

    static void print(RunResult result, ConsoleProgress console) {
        printModels(result.metrics(), console);
        if (result.alreadyComplete()) {
            console.line("Nothing was computed: the run directory already holds this run's results.");
        }
        console.line("Run directory: " + result.runDirectory());
        console.line("Report:        " + result.report());
    }

    /** After a single stage. */
    static void print(Stage stage, RunArtifacts run, ConsoleProgress console) {
        if (stage.compareTo(Stage.EVALUATE) >= 0) {
            printModels(run.metrics(), console);
        }
        console.line("Run directory: " + run.runDirectory());
        if (run.isComplete()) {
            console.line("Report:        " + run.report());
        } else {
            console.line("Done up to:    " + stage.label());
        }
    }

    private static void printModels(RunMetrics metrics, ConsoleProgress console) {
        console.line("");
        console.line(row("", "top-1", "SQNR dB", "cosine", "agreement", "bytes"));
        console.line(row("float", metrics.floatModel()));
        console.line(row("PTQ", metrics.ptq()));
        console.line(row("GPTQ", metrics.gptq()));
        console.line("");
    }

    private static String row(String name, ModelMetrics model) {
        if (model == null) {
            return row(name, "-", "-", "-", "-", "-");
        }
        return row(
                name,
                number("%.4f", model.top1()),
                number("%.2f", model.sqnrDb()),
                number("%.5f", model.cosine()),
                number("%.4f", model.agreement()),
                model.bytes() == null ? "-" : model.bytes().toString());
    }

    private static String row(String name, String... cells) {
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-6s", name));
        for (String cell : cells) {
            line.append(String.format(Locale.ROOT, "%11s", cell));
        }
        return line.toString();
    }

    private static String number(String format, Double value) {
        return value == null ? "-" : String.format(Locale.ROOT, format, value);
    }
}
