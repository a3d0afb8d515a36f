package dev.gptq.spark.run;

import dev.gptq.GptqException;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.spark.data.SamplePreparation;
import dev.gptq.spark.data.SampleStore;
import dev.gptq.spark.data.SparkFailures;
import dev.gptq.spark.data.StoreIndex;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.broadcast.Broadcast;

/** Datasets as sample stores, and the float model tried on a few of their samples. */
record PrepareWork(RunDatasets datasets) implements StageWork {
    /** So few, as one task runs them: with a block of calibration this took a third of the stage. */
    private static final int CHECKED_SAMPLES = 8;

    @Override
    public Stage stage() {
        return Stage.PREPARE;
    }

    /** The clock has been started before: opening the datasets belongs to this stage. */
    @Override
    public void run(RunContext context, RunState state) {
        try {
            DriverHeap.of(
                            context.config(),
                            context.prepared(),
                            context.model().bytes(),
                            context.spark().isLocal())
                    .check(context.clock().listener()::warning);
            context.devices().check(context.spark());
            state.samples = store(context, datasets.calibration(), RunDirectory.CALIBRATION_SAMPLES);
            state.evaluated = datasets.evaluation() == null
                    ? null
                    : store(context, datasets.evaluation(), RunDirectory.EVALUATION_SAMPLES);
            checkSampleCount(context.config(), state.samples.samples());
            state.versions = checkFloatModel(context, state.samples.samples());
        } catch (GptqException e) {
            // Nothing of worth is there yet; the directory is left as it was found.
            if (!context.files().exists(RunDirectory.STATISTICS)) {
                context.directory().discard();
            }
            throw e;
        }
        context.clock()
                .finish(
                        "%d samples for calibration%s",
                        state.samples.samples(),
                        state.evaluated == null ? "" : ", " + state.evaluated.samples() + " for evaluation");
    }

    private static StoreIndex store(RunContext context, SamplePreparation dataset, String folder) {
        String path = context.files().path(folder);
        Configuration hadoop = context.spark().hadoopConfiguration();
        return SampleStore.isComplete(path, hadoop)
                ? SampleStore.open(path, hadoop).index()
                : dataset.write(
                        path,
                        context.files().path(RunDirectory.QUARANTINE),
                        context.config().seed());
    }

    static void checkSampleCount(RunConfig config, long samples) {
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

    private static Map<String, String> checkFloatModel(RunContext context, long samples) {
        int size = (int) Math.min(samples, CHECKED_SAMPLES);
        String store = context.files().path(RunDirectory.CALIBRATION_SAMPLES);
        Broadcast<OnnxModel> model = context.spark().broadcast(context.model());
        try {
            ModelCheckTask.Found found = context.spark()
                    .parallelize(List.of(size), 1)
                    .map(new ModelCheckTask(context.shared(), model, store))
                    .first()
                    .get();
            context.place(found.places());
            TreeMap<String, String> versions = found.versions();
            versions.put("spark", context.spark().version());
            versions.put("spark_gptq", ProductVersion.read());
            return versions;
        } catch (Exception e) {
            throw SparkFailures.translate(e, "run the model on the cluster", "See the executors' logs.");
        } finally {
            model.destroy();
        }
    }
}
