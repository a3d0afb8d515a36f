package dev.gptq.jobs.tracking;

import dev.gptq.GptqException;
import dev.gptq.config.RunConfig;
import dev.gptq.report.RunMetrics;
import dev.gptq.train.RoundingTrainer.StepResult;
import java.io.IOException;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.tensorflow.proto.Event;
import org.tensorflow.proto.HistogramProto;
import org.tensorflow.proto.Summary;

/**
 * Event files for TensorBoard in a folder named as the run directory: losses of the whole and of each layer and learning rates
 * of every step, the rounding of each layer at every checkpoint, and what was measured at the end. A run that is continued adds
 * a file.
 */
final class TensorBoardTracker implements Tracker {
    private static final String VERSION = "brain.Event:2";
    private static final int BUCKETS = 32;
    private static final double MILLIS = 1000;

    private final Configuration hadoop;
    private EventWriter writer;

    TensorBoardTracker(Configuration hadoop) {
        this.hadoop = hadoop;
    }

    @Override
    public String name() {
        return "TensorBoard";
    }

    @Override
    public void start(String runId, RunConfig config) {
        Path folder = new Path(
                config.tracking().tensorboardPath(), new Path(config.output().path()).getName());
        Path file = new Path(folder, "events.out.tfevents.%d.%s".formatted(System.currentTimeMillis() / 1000, runId));
        try {
            writer = new EventWriter(FileSystem.get(file.toUri(), hadoop).create(file, false));
            writer.write(event(0).setFileVersion(VERSION).build());
            writer.flush();
        } catch (IOException e) {
            throw GptqException.io(
                    e,
                    "Cannot write event file '%s': %s. Set tracking.tensorboard.path to a folder that can be written, or to"
                            + " null.",
                    file,
                    e.getMessage());
        }
    }

    @Override
    public void step(StepResult result, Map<String, Double> rates) {
        Summary.Builder summary = Summary.newBuilder();
        scalar(summary, "loss/total", result.loss());
        scalar(summary, "loss/distillation", result.distillationLoss());
        scalar(summary, "loss/regularization", result.regularization());
        rates.forEach((name, rate) -> scalar(summary, "learning_rate/" + name, rate));
        write(result.step(), summary);
    }

    @Override
    public void layers(int step, Map<String, Double> losses) {
        Summary.Builder summary = Summary.newBuilder();
        losses.forEach((layer, loss) -> scalar(summary, "layer_loss/" + layer, loss));
        write(step, summary);
    }

    @Override
    public void rounding(int step, Map<String, float[]> values) {
        Summary.Builder summary = Summary.newBuilder();
        values.forEach((layer, ofLayer) -> summary.addValue(
                Summary.Value.newBuilder().setTag("rounding/" + layer).setHisto(histogram(ofLayer))));
        write(step, summary);
        flush();
    }

    @Override
    public void metrics(int step, RunMetrics metrics) {
        Summary.Builder summary = Summary.newBuilder();
        TrackedMetrics.of(metrics).forEach((name, value) -> scalar(summary, name, value));
        write(step, summary);
        flush();
    }

    @Override
    public void end(boolean succeeded) {
        try {
            writer.close();
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private static void scalar(Summary.Builder summary, String tag, double value) {
        summary.addValue(Summary.Value.newBuilder().setTag(tag).setSimpleValue((float) value));
    }

    private static HistogramProto histogram(float[] values) {
        double min = Double.POSITIVE_INFINITY;
        double max = Double.NEGATIVE_INFINITY;
        double sum = 0;
        double squares = 0;
        for (float value : values) {
            min = Math.min(min, value);
            max = Math.max(max, value);
            sum += value;
            squares += (double) value * value;
        }
        double width = max > min ? (max - min) / BUCKETS : 1;
        double[] counts = new double[BUCKETS];
        for (float value : values) {
            counts[Math.min(BUCKETS - 1, (int) ((value - min) / width))]++;
        }
        HistogramProto.Builder histogram = HistogramProto.newBuilder()
                .setMin(min)
                .setMax(max)
                .setNum(values.length)
                .setSum(sum)
                .setSumSquares(squares);
        for (int bucket = 0; bucket < BUCKETS; bucket++) {
            histogram.addBucketLimit(min + (bucket + 1) * width);
            histogram.addBucket(counts[bucket]);
        }
        return histogram.build();
    }

    private static Event.Builder event(int step) {
        return Event.newBuilder()
                .setWallTime(System.currentTimeMillis() / MILLIS)
                .setStep(step);
    }

    private void write(int step, Summary.Builder summary) {
        try {
            writer.write(event(step).setSummary(summary).build());
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private void flush() {
        try {
            writer.flush();
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private static GptqException failure(IOException cause) {
        return GptqException.io(cause, "Cannot write event file: %s. Check the storage.", cause.getMessage());
    }
}
