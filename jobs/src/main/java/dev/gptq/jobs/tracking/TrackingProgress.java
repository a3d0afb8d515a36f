package dev.gptq.jobs.tracking;

import dev.gptq.config.RunConfig;
import dev.gptq.config.TrackingConfig;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.run.ProgressListener;
import dev.gptq.train.LearningRates;
import dev.gptq.train.RoundingTrainer.StepResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;

/**
 * Hands what a run says on to another listener, and its numbers to trackers. A tracker that fails while the run goes on is
 * left alone from then on, with a warning: a result is not lost to a server that is away.
 */
public final class TrackingProgress implements ProgressListener, AutoCloseable {
    private final ProgressListener next;
    private final List<Tracker> trackers;
    private RunConfig run;
    private int steps;
    private boolean succeeded;

    TrackingProgress(ProgressListener next, List<Tracker> trackers) {
        this.next = next;
        this.trackers = new ArrayList<>(trackers);
    }

    /** The trackers that a configuration asks for; classes of the others are not loaded. */
    public static TrackingProgress of(TrackingConfig tracking, ProgressListener next, Configuration hadoop) {
        List<Tracker> trackers = new ArrayList<>();
        if (tracking.tensorboardPath() != null) {
            trackers.add(new TensorBoardTracker(hadoop));
        }
        if (tracking.mlflowUri() != null) {
            trackers.add(new MlflowTracker());
        }
        return new TrackingProgress(next, trackers);
    }

    /**
     * Says that the run ended well; without it, {@link #close} tells trackers that it did not.
     */
    public void succeed() {
        succeeded = true;
    }

    /** A tracker that cannot even start ends the run: its settings are wrong. */
    @Override
    public void runStarted(String runId, RunConfig config) {
        run = config;
        trackers.forEach(tracker -> tracker.start(runId, config));
        next.runStarted(runId, config);
    }

    @Override
    public void stepDone(StepResult result, int totalSteps) {
        steps = result.step() + 1;
        Map<String, Double> rates = LearningRates.at(run.gptq(), result.step(), totalSteps);
        each(tracker -> tracker.step(result, rates));
        next.stepDone(result, totalSteps);
    }

    @Override
    public void layersDone(int step, Map<String, Double> losses) {
        each(tracker -> tracker.layers(step, losses));
        next.layersDone(step, losses);
    }

    @Override
    public void checkpointWritten(int step, Supplier<Map<String, float[]>> rounding) {
        if (!trackers.isEmpty()) {
            Map<String, float[]> values = rounding.get();
            each(tracker -> tracker.rounding(step, values));
        }
        next.checkpointWritten(step, rounding);
    }

    @Override
    public void evaluated(RunMetrics metrics) {
        each(tracker -> tracker.metrics(steps, metrics));
        next.evaluated(metrics);
    }

    private void each(Consumer<Tracker> call) {
        for (Tracker tracker : List.copyOf(trackers)) {
            try {
                call.accept(tracker);
            } catch (RuntimeException e) {
                trackers.remove(tracker);
                next.warning(tracker.name() + " is left out from here on: " + e.getMessage());
            }
        }
    }

    @Override
    public void stageStarted(String stage, long totalUnits) {
        next.stageStarted(stage, totalUnits);
    }

    @Override
    public void advanced(String stage, long doneUnits, String detail) {
        next.advanced(stage, doneUnits, detail);
    }

    @Override
    public void stageFinished(String stage, double seconds, String summary) {
        next.stageFinished(stage, seconds, summary);
    }

    @Override
    public void warning(String line) {
        next.warning(line);
    }

    /** Tells the trackers that the run is over. */
    @Override
    public void close() {
        if (run != null) {
            each(tracker -> tracker.end(succeeded));
        }
    }
}
