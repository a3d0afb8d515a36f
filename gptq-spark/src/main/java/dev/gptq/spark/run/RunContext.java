package dev.gptq.spark.run;

import dev.gptq.calibrate.CorrectedGraph;
import dev.gptq.calibrate.LayerSettings;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.config.RunConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SamplePlace;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.ComputeDevices;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.spark.task.SharedModel;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a run works on and with, the same for all its stages: configuration, model, directory, cluster. */
final class RunContext implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RunContext.class);

    private final RunConfig config;
    private final SparkSession session;
    private final JavaSparkContext spark;
    private final StageClock clock;
    private final RunDirectory directory;
    private final PreparedModel model;
    private final Stage last;
    private final ComputeDevices devices;
    private final String runId = UUID.randomUUID().toString();
    private final RunMarks marks;
    private final SerializableConfiguration hadoop;
    /** The float model as the stages see it, and what executors know of it. */
    private Graph prepared;

    private Broadcast<SharedModel> shared;
    /** The graph that the plan is for, and what executors know of it; of the prepared graph where nothing is corrected. */
    private Graph corrected;

    private Broadcast<SharedModel> sharedCorrected;
    private List<ComparePoint> points;
    private Map<String, SamplePlace> places = Map.of();

    RunContext(
            RunConfig config,
            SparkSession session,
            StageClock clock,
            RunDirectory directory,
            PreparedModel model,
            ComputeDevices devices,
            Stage last) {
        this.config = config;
        this.session = session;
        this.spark = JavaSparkContext.fromSparkContext(session.sparkContext());
        this.clock = clock;
        this.directory = directory;
        this.model = model;
        this.last = last;
        this.devices = devices;
        this.points = LayerSettings.of(model.graph(), config.quantization()).points();
        this.marks = new RunMarks(spark, runId, config.model());
        clock.onStart(marks::enter);
        clock.continueFrom(StageSeconds.read(directory.files()));
        if (!directory.isComplete()) {
            clock.onFinish(timing -> StageSeconds.write(directory.files(), timing));
        }
        LOG.info("Run {} writes to {}.", runId, directory.files().root());
        clock.listener().runStarted(runId, config);
        this.hadoop = new SerializableConfiguration(spark.hadoopConfiguration());
        this.prepared = model.graph();
        this.shared = spark.broadcast(new SharedModel(runId, prepared, devices, hadoop));
        this.corrected = prepared;
        this.sharedCorrected = shared;
    }

    RunConfig config() {
        return config;
    }

    SparkSession session() {
        return session;
    }

    JavaSparkContext spark() {
        return spark;
    }

    StageClock clock() {
        return clock;
    }

    RunDirectory directory() {
        return directory;
    }

    RunFiles files() {
        return directory.files();
    }

    /** Whether the run is complete with its checkpoints, so that nothing is trained and what training reads is not needed. */
    boolean isTrained() {
        return directory.isComplete() && !files().list(RunDirectory.CHECKPOINTS).isEmpty();
    }

    /** The float model as ONNX Runtime takes it. */
    OnnxModel model() {
        return model.model();
    }

    /** The stage that was asked for. */
    Stage last() {
        return last;
    }

    /** The float model as the stages see it. */
    Graph prepared() {
        return prepared;
    }

    /** Later stages see {@code smoothed} in place of the prepared graph: the same function, with the same layers. */
    void smooth(Graph smoothed) {
        if (smoothed == prepared) {
            return;
        }
        shared.destroy();
        prepared = smoothed;
        shared = spark.broadcast(new SharedModel(smoothedRunId(), prepared, devices, hadoop));
        corrected = prepared;
        sharedCorrected = shared;
    }

    /** Layers that are quantized. */
    List<ComparePoint> points() {
        return points;
    }

    /** Where tensors have their samples that do not begin with them. */
    Map<String, SamplePlace> places() {
        return places;
    }

    /** Says where the outputs of layers have their samples. */
    void place(Map<String, SamplePlace> found) {
        places = found;
        points = points.stream().map(point -> point.at(found)).toList();
    }

    ComputeDevices devices() {
        return devices;
    }

    /** The prepared graph, as executors find it. */
    Broadcast<SharedModel> shared() {
        return shared;
    }

    /** The graph that the plan is for; the prepared one before {@link #correct}. */
    Graph corrected() {
        return corrected;
    }

    /** Corrects the graph as the plan says; later stages see the result. */
    void correct(QuantizationPlan plan) {
        if (corrected != prepared) {
            return;
        }
        corrected = CorrectedGraph.of(prepared, plan);
        if (corrected != prepared) {
            sharedCorrected = spark.broadcast(new SharedModel(correctedRunId(), corrected, devices, hadoop));
        }
    }

    /** Blocks of the first {@code samples} calibration samples for the float model. */
    BlockJob calibrationJob(long samples, int blockSize) {
        return BlockJob.of(spark, shared, files().path(RunDirectory.CALIBRATION_SAMPLES), samples, blockSize);
    }

    /**
     * Does work on such blocks for which executors keep large things: they let go of them with the next stage's first task.
     *
     * @param purpose tells these things from those of other stages
     */
    <T> T apart(String purpose, long samples, int blockSize, Function<BlockJob, T> work) {
        String id = runId + " " + purpose;
        Broadcast<SharedModel> own = spark.broadcast(new SharedModel(id, prepared, devices, hadoop));
        try {
            String store = files().path(RunDirectory.CALIBRATION_SAMPLES);
            return work.apply(BlockJob.of(spark, own, store, samples, blockSize));
        } finally {
            own.destroy();
            ExecutorModels.release(id);
        }
    }

    /** Blocks of a sample store for the graph that the plan is for. */
    BlockJob correctedJob(String folder, long samples, int blockSize) {
        return BlockJob.of(spark, sharedCorrected, files().path(folder), samples, blockSize);
    }

    private String smoothedRunId() {
        return runId + " smoothed";
    }

    private String correctedRunId() {
        return runId + " corrected";
    }

    @Override
    public void close() {
        if (sharedCorrected != shared) {
            sharedCorrected.destroy();
        }
        shared.destroy();
        marks.close();
        ExecutorModels.release(runId);
        ExecutorModels.release(smoothedRunId());
        ExecutorModels.release(correctedRunId());
    }
}
