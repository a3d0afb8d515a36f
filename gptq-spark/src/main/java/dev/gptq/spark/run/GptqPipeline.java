package dev.gptq.spark.run;

import dev.gptq.GptqException;
import dev.gptq.calibrate.LayerSettings;
import dev.gptq.config.RunConfig;
import dev.gptq.evaluate.FloatModelCheck;
import dev.gptq.evaluate.FreeBatchCheck;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.pass.FreeBatch;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.mixedprecision.BitChoices;
import dev.gptq.onnx.ModelMetadata;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.report.MetricsFile;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.data.Crc32cCounter;
import dev.gptq.spark.data.ModelFolder;
import dev.gptq.spark.data.SamplePreparation;
import dev.gptq.spark.task.ComputeDevices;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The whole product: float ONNX model and representative dataset in, run directory with the quantized model out. */
public final class GptqPipeline {
    private static final Logger LOG = LoggerFactory.getLogger(GptqPipeline.class);
    /** Where constants lie of a model that is never written to a disk. */
    private static final String OUTSIDE_OF_MEMORY = "constants";

    private GptqPipeline() {}

    /**
     * Runs every stage, or what an interrupted run with the same configuration, model and data has left undone.
     *
     * @param config the run; paths are Hadoop paths, those without a scheme belong to the default file system
     * @param spark the session whose cluster does the work; its settings are left alone
     * @throws dev.gptq.GptqException BAD_INPUT, IO, UNSUPPORTED_MODEL, DIVERGED or CLUSTER with one line for people
     */
    public static RunResult run(RunConfig config, SparkSession spark, ProgressListener progress) {
        StageClock clock = new StageClock(progress);
        clock.start(StageClock.PREPARE, StageClock.UNKNOWN);
        ComputeDevices devices = ComputeDevices.of(
                JavaSparkContext.fromSparkContext(spark.sparkContext()), config.device(), config.gpusPerTask());
        LOG.info("Tasks compute on {}: {}.", devices.kind(), devices.reason());
        Configuration hadoop = spark.sparkContext().hadoopConfiguration();
        OnnxModel file = ModelFolder.readModel(config.model(), hadoop);
        Graph read = OnnxReader.read(file, config.model());
        Graph free = FreeBatch.apply(read);
        Graph prepared = GraphPreparation.prepare(free, config.quantization().preparation());
        OnnxModel model = file;
        if (free != read) {
            FreeBatchCheck.check(
                    GraphPreparation.prepare(read, config.quantization().preparation()), prepared, config.model());
            LOG.info("The model's fixed batch dimension is taken as a dynamic one.");
            model = ModelMetadata.copy(file, OnnxWriter.write(free, ModelFolder.fileLimit(hadoop), OUTSIDE_OF_MEMORY));
        }
        checkModel(prepared, config.model());
        FloatModelCheck.requireLoadable(model);
        // Overrides for layers that are not there and impossible budgets are found before any data is read.
        LayerSettings.of(prepared, config.quantization());
        if (config.quantization().mixedPrecision() != null) {
            BitChoices.of(prepared, config.quantization())
                    .requirePossible(prepared, config.quantization().mixedPrecision());
        }
        SamplePreparation calibration = SamplePreparation.open(spark, config.calibration(), prepared);
        SamplePreparation evaluation =
                config.evaluation() == null ? null : SamplePreparation.open(spark, config.evaluation(), prepared);

        List<String> data = new ArrayList<>(calibration.identity());
        if (evaluation != null) {
            data.addAll(evaluation.identity());
        }
        Fingerprint fingerprint = Fingerprint.of(config, devices.kind(), Crc32cCounter.of(file::writeAll), data);
        try (RunDirectory directory =
                RunDirectory.open(config.output().path(), config.output().overwrite(), fingerprint, hadoop)) {
            if (directory.isComplete()) {
                directory.tidy(config.output().keepSamples());
                clock.finish("already complete");
                RunMetrics metrics = MetricsFile.fromJson(directory.files().readText(RunDirectory.METRICS));
                return result(directory, metrics, true);
            }
            try (RunContext context = new RunContext(config, spark, clock, directory, model, prepared, devices)) {
                RunState state = new PipelineRun(calibration, evaluation).execute(context, Stage.REPORT);
                return result(directory, state.metrics, false);
            }
        }
    }

    private static void checkModel(Graph prepared, String source) {
        if (ComparePoints.of(prepared).isEmpty()) {
            throw GptqException.unsupported(
                    "Cannot quantize '%s': it has no convolution or linear layer with constant weights. Give a model with"
                            + " layers to quantize.",
                    source);
        }
    }

    private static RunResult result(RunDirectory directory, RunMetrics metrics, boolean alreadyComplete) {
        return new RunResult(
                directory.files().root(), directory.files().path(RunDirectory.REPORT), metrics, alreadyComplete);
    }
}
