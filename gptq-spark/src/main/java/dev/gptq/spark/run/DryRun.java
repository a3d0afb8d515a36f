package dev.gptq.spark.run;

import ai.djl.Device;
import dev.gptq.calibrate.LayerSettings;
import dev.gptq.config.RunConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.evaluate.FloatModelCheck;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.SampleBatch;
import dev.gptq.report.CompensationCost;
import dev.gptq.report.ForwardCost;
import dev.gptq.report.ModelSummary;
import dev.gptq.report.RunEstimate;
import dev.gptq.spark.calibrate.CalibrateStage;
import dev.gptq.spark.compensate.CompensationStage;
import dev.gptq.spark.data.Crc32cCounter;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.data.SamplePreparation;
import dev.gptq.spark.evaluate.EvaluateStage;
import dev.gptq.spark.run.RunDirectory.Replaces;
import dev.gptq.spark.run.RunPlan.PlannedStage;
import dev.gptq.spark.task.ComputeDevices;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** Looks at everything a run would use, as the run would. */
final class DryRun {
    /** Samples that are read and run through the model. */
    private static final int SAMPLES = 8;

    private final RunConfig config;
    private final ProgressListener progress;
    private final SparkSession session;
    private final JavaSparkContext spark;
    private final Configuration hadoop;

    DryRun(RunConfig config, SparkSession session, ProgressListener progress) {
        this.config = config;
        this.progress = progress;
        this.session = session;
        this.spark = JavaSparkContext.fromSparkContext(session.sparkContext());
        this.hadoop = spark.hadoopConfiguration();
    }

    RunPlan plan(Stage last) {
        ComputeDevices devices = ComputeDevices.of(spark, config.device(), config.gpusPerTask());
        PreparedModel model = PreparedModel.read(config, hadoop);
        DriverHeap heap = DriverHeap.of(config, model.graph(), model.model().bytes(), spark.isLocal());
        heap.check(progress::warning);
        RunDatasets datasets = RunDatasets.open(session, config, model.graph());
        Fingerprint fingerprint =
                Fingerprint.of(config, devices.kind(), Crc32cCounter.of(model.file()::writeAll), datasets.identity());
        RunFiles files = RunFiles.of(config.output().path(), hadoop);
        RunDirectory.Content content =
                RunDirectory.look(files, Replaces.of(config.output().overwrite()), fingerprint);

        SampleBatch first = datasets.calibration().first(SAMPLES);
        if (datasets.evaluation() != null) {
            datasets.evaluation().first(SAMPLES);
        }
        long samples = datasets.calibration().size();
        PrepareWork.checkSampleCount(config, samples);
        List<ComparePoint> layers =
                LayerSettings.of(model.graph(), config.quantization()).points();
        int slots = spark.defaultParallelism();
        int machines = ClusterCheck.machines(spark).size();
        devices.check(spark);
        ClusterCheck.requireShared(spark, existing(files));

        Long evaluated =
                datasets.evaluation() == null ? null : datasets.evaluation().size();
        RunEstimate estimate = estimate(model, layers, first, samples, evaluated == null ? samples : evaluated, slots);
        long parameters = ModelSummary.parameterBytes(model.graph());
        long stored = bytes(datasets.calibration(), samples)
                + (evaluated == null ? 0 : bytes(datasets.evaluation(), evaluated));
        return new RunPlan(
                files.root(),
                content.name().toLowerCase(Locale.ROOT),
                devices.kind() + ": " + devices.reason(),
                machines,
                slots,
                layers.size(),
                samples,
                evaluated,
                stages(estimate, stored, layers.size()).stream()
                        .filter(stage -> stage.stage().compareTo(last) <= 0)
                        .toList(),
                estimate.taskBytes(parameters),
                estimate.jvmBytes(parameters, (slots + machines - 1) / machines),
                heap.bytes(),
                stored);
    }

    private RunEstimate estimate(
            PreparedModel model,
            List<ComparePoint> layers,
            SampleBatch first,
            long samples,
            long evaluated,
            int slots) {
        try (GraphExecutor executor = new GraphExecutor(model.graph(), Device.cpu())) {
            FloatModelCheck.check(model.model(), executor, first);
            ForwardCost forward = ForwardCost.measure(executor, first);
            CompensationCost compensation = config.gptq().errorCompensationConfig() == null
                    ? null
                    : CompensationCost.measure(executor, CompensationStage.passes(model.graph(), layers), first);
            return new RunEstimate(config, forward, compensation, samples, evaluated, slots);
        }
    }

    private static List<PlannedStage> stages(RunEstimate estimate, long stored, int layers) {
        return List.of(
                new PlannedStage(Stage.PREPARE, stored + " bytes of samples", estimate.prepareSeconds(stored)),
                new PlannedStage(
                        Stage.CALIBRATE,
                        blocks(estimate.calibration(), CalibrateStage.BLOCK_SIZE),
                        estimate.calibrateSeconds()),
                new PlannedStage(
                        Stage.HESSIAN,
                        estimate.scored() == 0 ? "nothing" : estimate.scored() + " samples at " + layers + " layers",
                        estimate.hessianSeconds()),
                new PlannedStage(
                        Stage.TRAIN, training(estimate), estimate.compensateSeconds() + estimate.trainSeconds()),
                new PlannedStage(Stage.EXPORT, "2 models", 0),
                new PlannedStage(
                        Stage.EVALUATE,
                        blocks(estimate.evaluation(), EvaluateStage.BLOCK_SIZE),
                        estimate.evaluateSeconds()),
                new PlannedStage(Stage.REPORT, "1 page", 0));
    }

    private static String training(RunEstimate estimate) {
        TrainingConfig training = estimate.config().training();
        List<String> work = new ArrayList<>();
        if (estimate.compensated() > 0) {
            work.add(estimate.compensated() + " samples to compensate with");
        }
        if (estimate.steps() > 0) {
            work.add("%d steps of %d samples in %d lanes"
                    .formatted(estimate.steps(), training.batchSize(), training.lanes()));
        }
        return work.isEmpty() ? "nothing" : String.join(", ", work);
    }

    private static String blocks(long samples, int blockSize) {
        return "%d samples in %d blocks".formatted(samples, (samples + blockSize - 1) / blockSize);
    }

    private static long bytes(SamplePreparation dataset, long samples) {
        return samples * dataset.sampleBytes();
    }

    /** The run directory, or the nearest folder above it that is there: nothing is created by looking. */
    private String existing(RunFiles files) {
        Path path = new Path(files.root());
        while (path.getParent() != null && !RunFiles.of(path.toString(), hadoop).exists()) {
            path = path.getParent();
        }
        return path.toString();
    }
}
