package dev.gptq.spark.run;

import dev.gptq.Redaction;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import dev.gptq.report.HtmlReport;
import dev.gptq.report.MetricsFile;
import dev.gptq.report.ReportDetails;
import dev.gptq.spark.data.Crc32cCounter;
import dev.gptq.spark.data.StoreIndex;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** The report, and the manifest that completes the run. */
final class ReportWork implements StageWork {
    @Override
    public Stage stage() {
        return Stage.REPORT;
    }

    @Override
    public void run(RunContext context, RunState state) {
        String yaml = yaml(context);
        Manifest manifest = new Manifest(
                Manifest.parseConfig(yaml),
                state.versions,
                context.config().seed(),
                context.devices().kind(),
                Manifest.promise(context.devices().gpus()),
                Instant.now().toString(),
                inputs(context, state),
                null);
        write(context, state, manifest);
    }

    /** Renders the report of a complete run once more, from its files. */
    static void again(RunContext context, RunState state) {
        state.metrics = MetricsFile.fromJson(context.files().readText(RunDirectory.METRICS));
        Manifest manifest = Manifest.fromJson(context.files().readText(RunDirectory.MANIFEST));
        write(context, state, manifest);
    }

    private static void write(RunContext context, RunState state, Manifest manifest) {
        String report = HtmlReport.render(
                state.metrics,
                details(context),
                yaml(context),
                manifest.withFiles(null).toJson());
        context.directory().reopen();
        context.files().writeText(RunDirectory.REPORT, report);
        context.directory()
                .commit(
                        files -> manifest.withFiles(files).toJson(),
                        context.config().output().keepSamples());
    }

    private static ReportDetails details(RunContext context) {
        return context.files().exists(RunDirectory.DETAILS)
                ? ReportDetails.fromJson(context.files().readText(RunDirectory.DETAILS))
                : ReportDetails.NONE;
    }

    private static String yaml(RunContext context) {
        return Redaction.text(RunConfigReader.toYaml(context.config()));
    }

    private static Map<String, Manifest.Input> inputs(RunContext context, RunState state) {
        RunConfig config = context.config();
        Map<String, Manifest.Input> inputs = new LinkedHashMap<>();
        inputs.put(
                "model",
                new Manifest.Input(Redaction.text(config.model()), null, Crc32cCounter.of(context.model()::writeAll)));
        inputs.put("calibration", input(config.calibration(), state.samples));
        if (state.evaluated != null) {
            inputs.put("evaluation", input(config.evaluation(), state.evaluated));
        }
        return inputs;
    }

    private static Manifest.Input input(DatasetConfig dataset, StoreIndex index) {
        byte[] json = index.toJson().getBytes(StandardCharsets.UTF_8);
        return new Manifest.Input(Redaction.text(dataset.path()), index.samples(), Crc32cCounter.of(json));
    }
}
