package dev.gptq.jobs;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.RunConfig;
import dev.gptq.jobs.tracking.TrackingProgress;
import dev.gptq.spark.run.GptqPipeline;
import dev.gptq.spark.run.Stage;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/** Starts Spark as spark-submit configured it, runs the pipeline and says what came out. */
final class SparkJob {
    private static final String LOCAL = "local";
    private static final String DEFAULT_MASTER = "local[*]";

    private SparkJob() {}

    static void run(RunConfig config) {
        start(config, (pipeline, spark, console) -> RunSummary.print(pipeline.run(spark), console));
    }

    static void runUntil(Stage last, RunConfig config) {
        start(config, (pipeline, spark, console) -> RunSummary.print(last, pipeline.runUntil(last, spark), console));
    }

    static void plan(Stage last, RunConfig config) {
        start(config, (pipeline, spark, console) -> PlanSummary.print(config, pipeline.plan(last, spark), console));
    }

    /** Works with a pipeline, and says what came out. */
    private interface Work {
        void run(GptqPipeline pipeline, SparkSession spark, ConsoleProgress console);
    }

    private static void start(RunConfig config, Work work) {
        ConsoleProgress console = ConsoleProgress.onStandardOutput();
        try (Interruption interruption = Interruption.watch()) {
            work(config, work, console);
            interruption.finish();
        }
    }

    private static void work(RunConfig config, Work work, ConsoleProgress console) {
        SparkSession spark = session();
        try (TrackingProgress tracked = TrackingProgress.of(
                config.tracking(), console, spark.sparkContext().hadoopConfiguration())) {
            work.run(
                    GptqPipeline.builder()
                            .setConfig(config)
                            .optProgress(tracked)
                            .build(),
                    spark,
                    console);
            tracked.succeed();
        } catch (RuntimeException e) {
            throw spark.sparkContext().isStopped() ? interrupted(e) : e;
        } finally {
            spark.stop();
        }
    }

    /** Somebody stopped the context under the running job; what the job then says helps nobody. */
    private static GptqException interrupted(RuntimeException cause) {
        return new GptqException(ErrorCode.INTERRUPTED, Interruption.MESSAGE, cause);
    }

    /** A session as spark-submit configured it. */
    static SparkSession session() {
        SparkConf conf = new SparkConf();
        conf.setIfMissing("spark.master", DEFAULT_MASTER);
        conf.setIfMissing("spark.app.name", "gptq");
        conf.setIfMissing("spark.ui.showConsoleProgress", "false");
        if (conf.get("spark.master").startsWith(LOCAL)) {
            // Else a task that finds the heap full ends the whole process, without a word.
            conf.setIfMissing("spark.executor.killOnFatalError.depth", "0");
        }
        try {
            return SparkSession.builder().config(conf).getOrCreate();
        } catch (Exception e) {
            // Scala throws checked exceptions without declaring them, SparkException among them.
            throw new GptqException(
                    ErrorCode.CLUSTER,
                    "Cannot start Spark on master %s: %s. Check --master and that the cluster answers."
                            .formatted(conf.get("spark.master"), FailureReport.oneLine(e.getMessage())),
                    e);
        }
    }
}
