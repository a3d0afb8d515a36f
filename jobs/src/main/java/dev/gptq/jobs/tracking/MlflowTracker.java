package dev.gptq.jobs.tracking;

import dev.gptq.GptqException;
import dev.gptq.Redaction;
import dev.gptq.config.RunConfig;
import dev.gptq.report.RunMetrics;
import dev.gptq.train.RoundingTrainer.StepResult;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.mlflow.api.proto.Service.Metric;
import org.mlflow.api.proto.Service.Param;
import org.mlflow.api.proto.Service.RunStatus;
import org.mlflow.api.proto.Service.RunTag;
import org.mlflow.tracking.MlflowClient;
import org.mlflow.tracking.MlflowClientException;

/**
 * A run of an MLflow experiment: what decides the result as parameters, losses and learning rates by step, and what was
 * measured at the end. Histograms have no place there; mean and spread of each layer's rounding stand for them.
 */
final class MlflowTracker implements Tracker {
    /** The server takes a thousand at once. */
    private static final int BATCH = 500;

    private static final String NOT_ALLOWED = "[^A-Za-z0-9_./ -]";

    private final List<Metric> waiting = new ArrayList<>();
    private MlflowClient client;
    private String run;

    @Override
    public String name() {
        return "MLflow";
    }

    @Override
    public void start(String runId, RunConfig config) {
        String uri = config.tracking().mlflowUri();
        String experiment = config.tracking().mlflowExperiment();
        try {
            client = new MlflowClient(uri);
            String id = client.getExperimentByName(experiment)
                    .map(found -> found.getExperimentId())
                    .orElseGet(() -> client.createExperiment(experiment));
            run = client.createRun(id).getRunId();
            List<Param> params = new ArrayList<>();
            params(config)
                    .forEach((name, value) -> params.add(
                            Param.newBuilder().setKey(name).setValue(value).build()));
            client.logBatch(
                    run,
                    List.of(),
                    params,
                    List.of(tag("mlflow.runName", Redaction.text(config.output().path())), tag("gptq.run_id", runId)));
        } catch (MlflowClientException e) {
            throw GptqException.io(
                    e,
                    "Cannot track on MLflow server '%s': %s. Check tracking.mlflow.uri and that the server answers, or set it"
                            + " to null.",
                    uri,
                    e.getMessage());
        }
    }

    private static RunTag tag(String name, String value) {
        return RunTag.newBuilder().setKey(name).setValue(value).build();
    }

    private static Map<String, String> params(RunConfig config) {
        Map<String, String> params = new LinkedHashMap<>();
        params.put("model", Redaction.text(config.model()));
        params.put("recipe", config.recipe().toString());
        params.put("preset", config.quantization().preset());
        params.put(
                "weights.bits", String.valueOf(config.quantization().weights().bits()));
        params.put(
                "activations.bits",
                String.valueOf(config.quantization().activations().bits()));
        params.put("n_epochs", String.valueOf(config.gptq().nEpochs()));
        params.put("loss", config.gptq().loss());
        params.put("rounding_type", config.gptq().roundingType().toString());
        params.put("learning_rate", String.valueOf(config.gptq().optimizer().learningRate()));
        params.put("regularization_factor", String.valueOf(config.gptq().regularizationFactor()));
        params.put("batch_size", String.valueOf(config.training().batchSize()));
        params.put("lanes", String.valueOf(config.training().lanes()));
        params.put("seed", String.valueOf(config.seed()));
        return params;
    }

    @Override
    public void step(StepResult result, Map<String, Double> rates) {
        add("loss/total", result.loss(), result.step());
        add("loss/distillation", result.distillationLoss(), result.step());
        add("loss/regularization", result.regularization(), result.step());
        rates.forEach((name, rate) -> add("learning_rate/" + name, rate, result.step()));
        if (waiting.size() >= BATCH) {
            send();
        }
    }

    @Override
    public void layers(int step, Map<String, Double> losses) {
        losses.forEach((layer, loss) -> add("layer_loss/" + layer, loss, step));
    }

    @Override
    public void rounding(int step, Map<String, float[]> values) {
        values.forEach((layer, ofLayer) -> {
            double sum = 0;
            double squares = 0;
            for (float value : ofLayer) {
                sum += value;
                squares += (double) value * value;
            }
            double mean = sum / ofLayer.length;
            add("rounding_mean/" + layer, mean, step);
            add("rounding_spread/" + layer, Math.sqrt(Math.max(0, squares / ofLayer.length - mean * mean)), step);
        });
        send();
    }

    @Override
    public void metrics(int step, RunMetrics metrics) {
        TrackedMetrics.of(metrics).forEach((name, value) -> add(name, value, step));
        send();
    }

    @Override
    public void end(boolean succeeded) {
        try (MlflowClient closed = client) {
            send();
            client.setTerminated(run, succeeded ? RunStatus.FINISHED : RunStatus.FAILED);
        }
    }

    /** What the server takes for the name: its characters, and a path of files below a folder, without empty parts. */
    static String key(String name) {
        return Arrays.stream(name.replaceAll(NOT_ALLOWED, "_").split("/"))
                .filter(part -> !part.isEmpty())
                .map(part -> part.equals(".") || part.equals("..") ? "_" : part)
                .collect(Collectors.joining("/"));
    }

    private void add(String name, double value, int step) {
        waiting.add(Metric.newBuilder()
                .setKey(key(name))
                .setValue(value)
                .setTimestamp(System.currentTimeMillis())
                .setStep(step)
                .build());
    }

    private void send() {
        for (int from = 0; from < waiting.size(); from += BATCH) {
            List<Metric> batch = waiting.subList(from, Math.min(waiting.size(), from + BATCH));
            client.logBatch(run, batch, List.of(), List.of());
        }
        waiting.clear();
    }
}
