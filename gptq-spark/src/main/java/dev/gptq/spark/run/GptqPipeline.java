package dev.gptq.spark.run;

import dev.gptq.config.RunConfig;
import dev.gptq.report.MetricsFile;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.data.Crc32cCounter;
import dev.gptq.spark.data.FullHeap;
import dev.gptq.spark.run.RunDirectory.Replaces;
import dev.gptq.spark.task.ComputeDevices;
import java.util.Objects;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The whole product: float ONNX model and representative dataset in, run directory with the quantized model out.
 *
 * <pre>{@code
 * RunResult result = GptqPipeline.builder().setConfig(config).build().run(spark);
 * }</pre>
 *
 * <p>A pipeline works in any Spark application: it changes no setting of the session or its context, and leaves both
 * running. All that it finds is in the run directory, so that its methods may be called one after the other, by different
 * processes, and again; what is there is not computed a second time.
 */
public final class GptqPipeline {
    private static final Logger LOG = LoggerFactory.getLogger(GptqPipeline.class);

    private final RunConfig config;
    private final ProgressListener progress;

    private GptqPipeline(RunConfig config, ProgressListener progress) {
        this.config = config;
        this.progress = progress;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** As {@link #run(SparkSession)}, in one call. */
    public static RunResult run(RunConfig config, SparkSession spark, ProgressListener progress) {
        return builder().setConfig(config).optProgress(progress).build().run(spark);
    }

    /**
     * Runs every stage, or what an interrupted run with the same configuration, model and data has left undone. Does nothing
     * when the run is complete.
     *
     * @param spark the session whose cluster does the work
     * @throws dev.gptq.GptqException BAD_INPUT, IO, UNSUPPORTED_MODEL, DIVERGED or CLUSTER with one line for people
     */
    public RunResult run(SparkSession spark) {
        return execute(spark, Stage.REPORT, false);
    }

    /**
     * Runs the stages up to {@code last}, as far as their results are not there yet. Ends with the same bytes as a whole run:
     * the stages called one after the other are one.
     *
     * <p>{@link Stage#EVALUATE} and {@link Stage#REPORT} are done again when their results are there, also in a complete run,
     * which is complete again afterwards.
     *
     * @throws dev.gptq.GptqException as {@link #run(SparkSession)}
     */
    public RunArtifacts runUntil(Stage last, SparkSession spark) {
        String directory =
                execute(spark, last, last.compareTo(Stage.EVALUATE) >= 0).runDirectory();
        return RunArtifacts.open(directory, spark);
    }

    /**
     * Checks all that a run needs and tells what it would do: configuration, model, the first samples of each dataset, run
     * directory, cluster. Computes no stage and leaves no file.
     *
     * @param last the last stage of the run
     * @throws dev.gptq.GptqException as {@link #run(SparkSession)}
     */
    public RunPlan plan(Stage last, SparkSession spark) {
        return new DryRun(config, spark, progress).plan(last);
    }

    /** The metrics of the result are null before the stage that finds them. */
    private RunResult execute(SparkSession spark, Stage last, boolean again) {
        StageClock clock = new StageClock(progress);
        try {
            return execute(spark, last, again, clock);
        } catch (OutOfMemoryError e) {
            throw FullHeap.of(e).during("finish stage " + clock.stage());
        } catch (FullHeap e) {
            throw e.during("finish stage " + clock.stage());
        }
    }

    private RunResult execute(SparkSession spark, Stage last, boolean again, StageClock clock) {
        clock.start(StageClock.PREPARE, StageClock.UNKNOWN);
        ComputeDevices devices = ComputeDevices.of(
                JavaSparkContext.fromSparkContext(spark.sparkContext()), config.device(), config.gpusPerTask());
        LOG.info("Tasks compute on {}: {}.", devices.kind(), devices.reason());
        Configuration hadoop = spark.sparkContext().hadoopConfiguration();
        PreparedModel model = PreparedModel.read(config, hadoop);
        RunDatasets datasets = RunDatasets.open(spark, config, model.graph());
        Fingerprint fingerprint =
                Fingerprint.of(config, devices.kind(), Crc32cCounter.of(model.file()::writeAll), datasets.identity());
        Replaces replaces = Replaces.of(config.output().overwrite());
        if (again && replaces == Replaces.EVERYTHING) {
            replaces = Replaces.OTHER_RUNS;
        }
        try (RunDirectory directory = RunDirectory.open(config.output().path(), replaces, fingerprint, hadoop)) {
            if (directory.isComplete() && !again) {
                directory.tidy(config.output().keepSamples());
                clock.finish("already complete");
                RunMetrics metrics = MetricsFile.fromJson(directory.files().readText(RunDirectory.METRICS));
                return result(directory, metrics, true);
            }
            try (RunContext context = new RunContext(config, spark, clock, directory, model, devices, last)) {
                return result(directory, new PipelineRun(datasets).execute(context).metrics, false);
            }
        }
    }

    private static RunResult result(RunDirectory directory, RunMetrics metrics, boolean alreadyComplete) {
        return new RunResult(
                directory.files().root(), directory.files().path(RunDirectory.REPORT), metrics, alreadyComplete);
    }

    /** What a pipeline is made of. */
    public static final class Builder {
        private RunConfig config;
        private ProgressListener progress = ProgressListener.NONE;

        private Builder() {}

        /** The run; its paths are Hadoop paths, those without a scheme belong to the default file system. */
        public Builder setConfig(RunConfig value) {
            config = value;
            return this;
        }

        /** Who hears how the run goes on; default: nobody. */
        public Builder optProgress(ProgressListener value) {
            progress = value;
            return this;
        }

        /** The pipeline; without a configuration there is none. */
        public GptqPipeline build() {
            return new GptqPipeline(
                    Objects.requireNonNull(config, "setConfig was not called"),
                    Objects.requireNonNull(progress, "optProgress was called with null"));
        }
    }
}
