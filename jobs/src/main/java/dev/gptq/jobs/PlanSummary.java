package dev.gptq.jobs;

import dev.gptq.config.RunConfig;
import dev.gptq.spark.run.RunPlan;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** What a dry run says. */
final class PlanSummary {
    private static final long MEGABYTE = 1 << 20;

    private PlanSummary() {}

    static void print(RunConfig config, RunPlan plan, ConsoleProgress console) {
        console.line("Model          " + config.model() + ", " + plan.layers() + " layers to quantize");
        console.line("Calibration    " + config.calibration().path() + ", " + plan.samples() + " samples");
        console.line("Evaluation     "
                + (plan.evaluated() == null
                        ? "on the calibration samples"
                        : config.evaluation().path() + ", " + plan.evaluated() + " samples"));
        console.line("Run directory  " + plan.runDirectory() + ", " + describe(plan.content()));
        console.line(String.format(
                Locale.ROOT,
                "Cluster        %d JVMs, %d task slots; %s",
                plan.machines(),
                plan.slots(),
                plan.device()));
        console.line("");
        for (RunPlan.PlannedStage stage : plan.stages()) {
            console.line(String.format(
                    Locale.ROOT,
                    "%-10s %-40s about %s",
                    stage.stage().label(),
                    stage.work(),
                    duration(stage.seconds())));
        }
        console.line("");
        console.line("Time           about " + duration(plan.seconds()) + " on CPUs with nothing else to do, roughly");
        console.line(
                ("Memory         about %d MB of the driver's heap; outside the heap about %d MB in a JVM that runs tasks,"
                                + " %d MB of it for each task that trains")
                        .formatted(
                                plan.driverBytes() / MEGABYTE + 1,
                                plan.jvmBytes() / MEGABYTE + 1,
                                plan.taskBytes() / MEGABYTE + 1));
        console.line("Storage        %d MB of samples in the run directory until the run is complete"
                .formatted(plan.storedBytes() / MEGABYTE + 1));
        console.line("Nothing was computed and nothing was written: this was a dry run.");
    }

    private static String describe(String content) {
        return switch (content) {
            case "empty" -> "new";
            case "unfinished" -> "holds this run unfinished; what is there is not computed again";
            case "complete" -> "holds this run complete; nothing would be computed";
            default -> "holds something else that would be replaced (output.overwrite)";
        };
    }

    static String duration(double seconds) {
        long rounded = Math.round(seconds);
        long hours = TimeUnit.SECONDS.toHours(rounded);
        long minutes = TimeUnit.SECONDS.toMinutes(rounded) % TimeUnit.HOURS.toMinutes(1);
        if (hours > 0) {
            return "%d h %d min".formatted(hours, minutes);
        }
        return minutes > 0 ? "%d min %d s".formatted(minutes, rounded % TimeUnit.MINUTES.toSeconds(1)) : rounded + " s";
    }
}
