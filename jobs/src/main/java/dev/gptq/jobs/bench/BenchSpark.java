package dev.gptq.jobs.bench;

import org.apache.spark.sql.SparkSession;

/** Spark sessions of benchmarks. */
final class BenchSpark {
    private BenchSpark() {}

    /** Tasks in this JVM on {@code cores} threads, whatever master the command was started with. */
    static SparkSession local(int cores) {
        return SparkSession.builder()
                .master("local[" + cores + "]")
                .appName("gptq bench")
                .config("spark.ui.enabled", "false")
                .config("spark.ui.showConsoleProgress", "false")
                .getOrCreate();
    }
}
