package dev.gptq.spark.run;

import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaSparkContext;
import org.slf4j.MDC;

/**
 * Marks what a run does, for people who look at it from outside: its jobs in Spark's user interface carry the run's id as
 * their group and the stage as their description, and log lines of driver and executors carry the id as {@value #LOG_KEY}.
 * The application's own marks are there again when the run is over.
 */
final class RunMarks implements AutoCloseable {
    /** Spark hands local properties that begin with "mdc." to the loggers of executors, under their whole name. */
    static final String LOG_KEY = "mdc.gptq_run";

    private static final String GROUP = "spark.jobGroup.id";
    private static final String DESCRIPTION = "spark.job.description";

    private final JavaSparkContext spark;
    private final String model;
    private final Map<String, String> before = new TreeMap<>();
    private final String logged;

    /** {@code model} is what descriptions call the run. */
    RunMarks(JavaSparkContext spark, String runId, String model) {
        this.spark = spark;
        this.model = model.substring(model.lastIndexOf('/') + 1);
        this.logged = MDC.get(LOG_KEY);
        remember(GROUP);
        remember(DESCRIPTION);
        remember(LOG_KEY);
        spark.setLocalProperty(GROUP, runId);
        spark.setLocalProperty(LOG_KEY, runId);
        MDC.put(LOG_KEY, runId);
        enter(StageClock.PREPARE);
    }

    private void remember(String property) {
        before.put(property, spark.getLocalProperty(property));
    }

    /** Jobs from here on belong to a stage. */
    void enter(String stage) {
        spark.setLocalProperty(DESCRIPTION, "gptq " + stage + " " + model);
    }

    @Override
    public void close() {
        before.forEach(spark::setLocalProperty);
        if (logged == null) {
            MDC.remove(LOG_KEY);
        } else {
            MDC.put(LOG_KEY, logged);
        }
    }
}
