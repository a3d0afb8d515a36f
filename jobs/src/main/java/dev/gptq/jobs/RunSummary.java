package dev.gptq.jobs;

import dev.gptq.report.RunMetrics;
import dev.gptq.report.RunMetrics.ModelMetrics;
import dev.gptq.spark.run.RunResult;
import java.util.Locale;

/** The last lines of a run: how the three models compare and where everything is. */
final class RunSummary {
    private RunSummary() {}

    static void print(RunResult result, ConsoleProgress console) {
        RunMetrics metrics = result.metrics();
        console.line("");
        console.line(row("", "top-1", "SQNR dB", "cosine", "agreement", "bytes"));
        console.line(row("float", metrics.floatModel()));
        console.line(row("PTQ", metrics.ptq()));
        console.line(row("GPTQ", metrics.gptq()));
        console.line("");
        if (result.alreadyComplete()) {
            console.line("Nothing was computed: the run directory already holds this run's results.");
        }
        console.line("Run directory: " + result.runDirectory());
        console.line("Report:        " + result.report());
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
