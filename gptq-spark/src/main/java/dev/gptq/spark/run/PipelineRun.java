package dev.gptq.spark.run;

import dev.gptq.GptqException;
import dev.gptq.calibrate.BlockStatistics;
import dev.gptq.calibrate.CorrectedGraph;
import dev.gptq.calibrate.LayerSettings;
import dev.gptq.calibrate.LeftInFloat;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.calibrate.SecondMomentCorrection;
import dev.gptq.calibrate.StatisticsCorrections;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import dev.gptq.evaluate.BlockMetrics;
import dev.gptq.export.QdqExporter;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.hessian.LossWeights;
import dev.gptq.hessian.WeightHessian;
import dev.gptq.report.HtmlReport;
import dev.gptq.report.MetricsFile;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.calibrate.CalibrateStage;
import dev.gptq.spark.calibrate.SecondMomentStage;
import dev.gptq.spark.data.Crc32cCounter;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.data.SamplePreparation;
import dev.gptq.spark.data.SampleStore;
import dev.gptq.spark.data.SparkFailures;
import dev.gptq.spark.data.StoreIndex;
import dev.gptq.spark.evaluate.EvaluateStage;
import dev.gptq.spark.hessian.HessianStage;
import dev.gptq.spark.hessian.ScoreTable;
import dev.gptq.spark.hessian.WeightHessianStage;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.ComputeDevices;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.spark.task.NumberJob;
import dev.gptq.spark.task.SharedModel;
import dev.gptq.spark.train.TeacherEnergyStage;
import dev.gptq.spark.train.TrainingFolders;
import dev.gptq.spark.train.TrainingStage;
import dev.gptq.train.BatchSchedule;
import dev.gptq.train.DistillationLosses;
import dev.gptq.train.RoundingTrainer.StepResult;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;

/** One execution of the stages in a run directory; what is there already is reused. */
final class PipelineRun implements AutoCloseable {
    private final RunConfig config;
    private final SparkSession session;
    private final JavaSparkContext spark;
    private final StageClock clock;
    private final RunDirectory directory;
    private final RunFiles files;
    private final byte[] model;
    private final Graph prepared;
    private final List<ComparePoint> points;
    private final String runId = UUID.randomUUID().toString();
    private final SerializableConfiguration hadoop;
    private final ComputeDevices devices;
    private final Broadcast<SharedModel> shared;
    /** The graph that the plan is for, and what executors know of it; of the prepared graph where nothing is corrected. */
    private Graph corrected;

    private Broadcast<SharedModel> sharedCorrected;

    PipelineRun(
            RunConfig config,
            SparkSession session,
            StageClock clock,
            RunDirectory directory,
            byte[] model,
            Graph prepared,
            ComputeDevices devices) {
        this.config = config;
        this.session = session;
        this.spark = JavaSparkContext.fromSparkContext(session.sparkContext());
        this.clock = clock;
        this.directory = directory;
        this.files = directory.files();
        this.model = model;
        this.prepared = prepared;
        this.devices = devices;
        this.points = LayerSettings.of(prepared, config.quantization()).points();
        this.hadoop = new SerializableConfiguration(spark.hadoopConfiguration());
        this.shared = spark.broadcast(new SharedModel(runId, prepared, devices, hadoop));
        this.corrected = prepared;
        this.sharedCorrected = shared;
    }

    /** All stages; {@code evaluation} is null without an evaluation dataset. The prepare stage has been started. */
    RunResult execute(SamplePreparation calibration, SamplePreparation evaluation) {
        StoreIndex samples;
        StoreIndex evaluated;
        Map<String, String> versions;
        try {
            devices.check(spark);
            samples = store(calibration, RunDirectory.CALIBRATION_SAMPLES);
            evaluated = evaluation == null ? null : store(evaluation, RunDirectory.EVALUATION_SAMPLES);
            checkSampleCount(samples.samples());
            versions = checkFloatModel(samples.samples());
        } catch (GptqException e) {
            // Nothing of worth is there yet; the directory is left as it was found.
            if (!files.exists(RunDirectory.STATISTICS)) {
                directory.discard();
            }
            throw e;
        }
        clock.finish("%d samples for calibration%s", samples.samples(), evaluationSummary(evaluated));

        QuantizationPlan plan = calibrate(samples.samples());
        boolean trains = config.gptq().nEpochs() > 0;
        LossWeights weights = trains ? hessian(samples.samples()) : LossWeights.equal(points.size());
        correct(plan);
        List<QuantizedLayer> ptqLayers = PlanBuilder.roundToNearest(corrected, plan);
        TrainingStage.Result trained =
                trains ? train(samples.samples(), plan, weights) : new TrainingStage.Result(ptqLayers, List.of(), "");

        EvaluateStage.Models models = export(plan, ptqLayers, trained.layers());
        BlockMetrics sums = evaluate(models, evaluated, samples);
        RunMetrics metrics = MetricsFile.build(
                sums,
                plan,
                LeftInFloat.of(corrected, plan),
                weights,
                clock.timing(),
                training(trained.history()),
                Map.of(
                        "float", (long) model.length,
                        "ptq", (long) models.ptqModel().length,
                        "gptq", (long) models.gptqModel().length));
        files.writeText(RunDirectory.METRICS, MetricsFile.toJson(metrics));
        commit(metrics, versions, samples, evaluated);
        return new RunResult(files.root(), files.path(RunDirectory.REPORT), metrics, false);
    }

    private static String evaluationSummary(StoreIndex evaluated) {
        return evaluated == null ? "" : ", " + evaluated.samples() + " for evaluation";
    }

    private StoreIndex store(SamplePreparation dataset, String folder) {
        String path = files.path(folder);
        return SampleStore.isComplete(path, spark.hadoopConfiguration())
                ? SampleStore.open(path, spark.hadoopConfiguration()).index()
                : dataset.write(path, config.seed());
    }

    private void checkSampleCount(long samples) {
        GPTQHessianScoresConfig hessian = config.gptq().hessianWeightsConfig();
        if (config.gptq().nEpochs() == 0 || hessian == null || hessian.hessiansNumSamples() == null) {
            return;
        }
        int wanted = hessian.hessiansNumSamples();
        if (wanted > samples) {
            throw GptqException.badInput(
                    "Cannot score %d samples (hessians_num_samples): the calibration dataset has %d. Lower the number or give"
                            + " more samples.",
                    wanted, samples);
        }
        if (hessian.perSample() && wanted < samples) {
            throw GptqException.badInput(
                    "Cannot weigh each sample (per_sample) with scores of %d samples (hessians_num_samples) out of %d. Set"
                            + " hessians_num_samples to null.",
                    wanted, samples);
        }
    }

    private Map<String, String> checkFloatModel(long samples) {
        int size = (int) Math.min(samples, CalibrateStage.BLOCK_SIZE);
        try {
            TreeMap<String, String> versions = spark.parallelize(List.of(size), 1)
                    .map(new ModelCheckTask(shared, model, files.path(RunDirectory.CALIBRATION_SAMPLES)))
                    .first()
                    .get();
            versions.put("spark", spark.version());
            String version = PipelineRun.class.getPackage().getImplementationVersion();
            versions.put("spark_gptq", version == null ? "development" : version);
            return versions;
        } catch (Exception e) {
            throw SparkFailures.translate(e, "run the model on the cluster", "See the executors' logs.");
        }
    }

    private BlockJob job(Broadcast<SharedModel> graph, String folder, long samples, int blockSize) {
        return BlockJob.of(spark, graph, files.path(folder), samples, blockSize);
    }

    /** From here on, after the Hessian scores, stages see the graph that the plan is for. */
    private void correct(QuantizationPlan plan) {
        if (corrected != prepared) {
            return;
        }
        corrected = CorrectedGraph.of(prepared, plan);
        if (corrected != prepared) {
            sharedCorrected = spark.broadcast(new SharedModel(correctedRunId(), corrected, devices, hadoop));
        }
    }

    private String correctedRunId() {
        return runId + " corrected";
    }

    private QuantizationPlan calibrate(long samples) {
        BlockJob job = job(shared, RunDirectory.CALIBRATION_SAMPLES, samples, CalibrateStage.BLOCK_SIZE);
        List<ComparePoint> hessianPoints = files.exists(RunDirectory.PLAN)
                ? List.of()
                : LayerSettings.of(prepared, config.quantization()).hessianPoints();
        long hessianSamples = hessianPoints.isEmpty() ? 0 : Math.min(samples, WeightHessian.SAMPLES);
        clock.start(StageClock.CALIBRATE, job.blocks() + hessianSamples);
        boolean reused = files.exists(RunDirectory.STATISTICS);
        if (!reused) {
            BlockStatistics collected = CalibrateStage.run(job, done -> clock.advanced(done, ""));
            files.writeText(RunDirectory.STATISTICS, collected.toJson());
        }
        if (!files.exists(RunDirectory.PLAN)) {
            // From the file in every case, so that a resumed run cannot differ.
            BlockStatistics statistics = BlockStatistics.fromJson(files.readText(RunDirectory.STATISTICS));
            Map<String, float[]> hessians = hessianPoints.isEmpty()
                    ? Map.of()
                    : WeightHessianStage.run(
                            job(shared, RunDirectory.CALIBRATION_SAMPLES, hessianSamples, 1),
                            hessianPoints,
                            config.seed(),
                            done -> clock.advanced(job.blocks() + done, ""));
            QuantizationPlan built = PlanBuilder.build(prepared, statistics, config.quantization(), hessians);
            QuantizationPlan adjusted = StatisticsCorrections.apply(prepared, statistics, built, config.quantization());
            files.writeText(RunDirectory.PLAN, PlanFile.toJson(correctMoments(adjusted, samples)));
        }
        QuantizationPlan plan = PlanFile.fromJson(files.readText(RunDirectory.PLAN));
        clock.finish(
                "%d layers, %d activation tensors%s",
                plan.weights().size(), plan.activations().size(), reused ? ", reused" : "");
        return plan;
    }

    /** The plan with the second-moment correction, where it is asked for and there is anything to correct. */
    private QuantizationPlan correctMoments(QuantizationPlan plan, long samples) {
        if (!config.quantization().preparation().weightsSecondMomentCorrection()) {
            return plan;
        }
        correct(plan);
        if (!SecondMomentCorrection.isPossible(corrected, plan)) {
            clock.listener()
                    .warning("No layer has a folded BatchNormalization and thresholds of its own to scale:"
                            + " weights_second_moment_correction changes nothing.");
            return plan;
        }
        BlockJob job = job(sharedCorrected, RunDirectory.CALIBRATION_SAMPLES, samples, CalibrateStage.BLOCK_SIZE);
        return SecondMomentCorrection.apply(corrected, plan, SecondMomentStage.run(job, plan));
    }

    private LossWeights hessian(long samples) {
        GPTQHessianScoresConfig scores = config.gptq().hessianWeightsConfig();
        if (scores == null) {
            return LossWeights.equal(points.size());
        }
        long scored = scores.hessiansNumSamples() == null ? samples : scores.hessiansNumSamples();
        NumberJob table = HessianStage.table(
                job(shared, RunDirectory.CALIBRATION_SAMPLES, scored, scores.hessianBatchSize()),
                files.path(RunDirectory.SCORES),
                points);
        clock.start(StageClock.HESSIAN, scored);
        boolean reused = table.isDone();
        if (!reused) {
            HessianStage.score(table, points, scores, config.seed(), done -> clock.advanced(done, ""));
        }
        if (!files.exists(RunDirectory.HESSIAN_SCORES + "/_SUCCESS")) {
            ScoreTable.write(session, table.folder(), points, files.path(RunDirectory.HESSIAN_SCORES));
        }
        LossWeights weights = HessianStage.weights(table, scores);
        clock.finish("%d samples scored at %d layers%s", scored, points.size(), reused ? ", reused" : "");
        return weights;
    }

    private TrainingStage.Result train(long samples, QuantizationPlan plan, LossWeights weights) {
        clock.start(StageClock.TRAIN, TrainingStage.totalSteps(samples, config));
        TrainingFolders folders = trainingFolders(samples, plan);
        TrainingStage stage = new TrainingStage(
                job(
                        sharedCorrected,
                        RunDirectory.CALIBRATION_SAMPLES,
                        samples,
                        config.training().batchSize()),
                files,
                config,
                TrainingInputs.of(directory, model, weights),
                step -> clock.advanced(step.step() + 1L, String.format(Locale.ROOT, "loss %.5g", step.loss())),
                clock.listener()::warning);
        TrainingStage.Result result = stage.run(corrected, plan, weights, folders);
        List<StepResult> history = result.history();
        clock.finish(
                "%d steps, loss %.5g to %.5g, %s",
                history.size(),
                history.get(0).loss(),
                history.get(history.size() - 1).loss(),
                result.exchange());
        return result;
    }

    /** Where lanes read; the teacher's energies are computed here when the loss reads them. */
    private TrainingFolders trainingFolders(long samples, QuantizationPlan plan) {
        GPTQHessianScoresConfig scores = config.gptq().hessianWeightsConfig();
        int microBatchSize = BatchSchedule.microBatchSize(config.training());
        String energies = null;
        if (DistillationLosses.of(config.gptq().loss()).readsTeacherEnergies()) {
            energies = files.path(RunDirectory.TEACHER_ENERGIES);
            TeacherEnergyStage.run(
                    job(sharedCorrected, RunDirectory.CALIBRATION_SAMPLES, samples, microBatchSize),
                    plan,
                    energies,
                    done -> clock.advanced(0, done + " of " + samples + " samples through the float model"));
        }
        return new TrainingFolders(
                files.path(RunDirectory.CALIBRATION_SAMPLES),
                scores != null && scores.perSample() ? files.path(RunDirectory.SCORES) : null,
                energies,
                microBatchSize);
    }

    private static RunMetrics.Training training(List<StepResult> history) {
        return new RunMetrics.Training(
                history.size(),
                history.stream().mapToDouble(StepResult::loss).toArray(),
                history.stream().mapToDouble(StepResult::distillationLoss).toArray(),
                history.stream().mapToDouble(StepResult::regularization).toArray());
    }

    private EvaluateStage.Models export(
            QuantizationPlan plan, List<QuantizedLayer> ptqLayers, List<QuantizedLayer> layers) {
        clock.start(StageClock.EXPORT, 2);
        int opset = config.quantization().opset();
        byte[] ptq = QdqExporter.export(corrected, plan, ptqLayers, opset);
        files.write(RunDirectory.PTQ_MODEL, ptq);
        clock.advanced(1, RunDirectory.PTQ_MODEL);
        byte[] quantized = QdqExporter.export(corrected, plan, layers, opset);
        files.write(RunDirectory.QUANTIZED_MODEL, quantized);
        clock.advanced(2, RunDirectory.QUANTIZED_MODEL);
        clock.finish("%d bytes, float model %d bytes", quantized.length, model.length);
        return new EvaluateStage.Models(model, ptq, quantized, plan, ptqLayers, layers);
    }

    private BlockMetrics evaluate(EvaluateStage.Models models, StoreIndex evaluated, StoreIndex samples) {
        BlockJob job = evaluated == null
                ? job(sharedCorrected, RunDirectory.CALIBRATION_SAMPLES, samples.samples(), EvaluateStage.BLOCK_SIZE)
                : job(sharedCorrected, RunDirectory.EVALUATION_SAMPLES, evaluated.samples(), EvaluateStage.BLOCK_SIZE);
        clock.start(StageClock.EVALUATE, job.blocks());
        BlockMetrics sums = EvaluateStage.run(job, models, done -> clock.advanced(done, ""));
        clock.finish("%d samples of the %s dataset", job.samples(), evaluated == null ? "calibration" : "evaluation");
        return sums;
    }

    private void commit(RunMetrics metrics, Map<String, String> versions, StoreIndex samples, StoreIndex evaluated) {
        String yaml = RunConfigReader.toYaml(config);
        Map<String, Manifest.Input> inputs = new LinkedHashMap<>();
        inputs.put("model", new Manifest.Input(config.model(), null, Crc32cCounter.of(model)));
        inputs.put("calibration", input(config.calibration(), samples));
        if (evaluated != null) {
            inputs.put("evaluation", input(config.evaluation(), evaluated));
        }
        Manifest manifest = new Manifest(
                Manifest.parseConfig(yaml),
                versions,
                config.seed(),
                devices.kind(),
                Manifest.promise(devices.gpus()),
                Instant.now().toString(),
                inputs,
                null);
        files.writeText(RunDirectory.REPORT, HtmlReport.render(metrics, yaml, manifest.toJson()));
        directory.commit(
                files -> manifest.withFiles(files).toJson(), config.output().keepSamples());
    }

    private static Manifest.Input input(DatasetConfig dataset, StoreIndex index) {
        byte[] json = index.toJson().getBytes(java.nio.charset.StandardCharsets.UTF_8);
        return new Manifest.Input(dataset.path(), index.samples(), Crc32cCounter.of(json));
    }

    @Override
    public void close() {
        if (sharedCorrected != shared) {
            sharedCorrected.destroy();
        }
        shared.destroy();
        ExecutorModels.release(runId);
        ExecutorModels.release(correctedRunId());
    }
}
