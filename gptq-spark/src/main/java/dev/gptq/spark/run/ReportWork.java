package dev.gptq.spark.run;

import dev.gptq.config.DatasetConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import dev.gptq.report.HtmlReport;
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
        String yaml = RunConfigReader.toYaml(context.config());
        Manifest manifest = new Manifest(
                Manifest.parseConfig(yaml),
                state.versions,
                context.config().seed(),
                context.devices().kind(),
                Manifest.promise(context.devices().gpus()),
                Instant.now().toString(),
                inputs(context, state),
                null);
        context.files()
                .writeText(
                        RunDirectory.REPORT,
                        HtmlReport.render(state.metrics, details(context), yaml, manifest.toJson()));
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

    private static Map<String, Manifest.Input> inputs(RunContext context, RunState state) {
        RunConfig config = context.config();
        Map<String, Manifest.Input> inputs = new LinkedHashMap<>();
        inputs.put("model", new Manifest.Input(config.model(), null, Crc32cCounter.of(context.model()::writeAll)));
        inputs.put("calibration", input(config.calibration(), state.samples));
        if (state.evaluated != null) {
            inputs.put("evaluation", input(config.evaluation(), state.evaluated));
        }
        return inputs;
    }

    private static Manifest.Input input(DatasetConfig dataset, StoreIndex index) {
        byte[] json = index.toJson().getBytes(StandardCharsets.UTF_8);
        return new Manifest.Input(dataset.path(), index.samples(), Crc32cCounter.of(json));
    }
}
