package dev.gptq.spark.run;

import dev.gptq.report.RunMetrics;

/**
 * What a run left behind.
 *
 * @param runDirectory the run directory as a Hadoop path
 * @param report path of report.html in it
 * @param alreadyComplete whether the directory held this run's results already and nothing was computed
 */
public record RunResult(String runDirectory, String report, RunMetrics metrics, boolean alreadyComplete) {}
