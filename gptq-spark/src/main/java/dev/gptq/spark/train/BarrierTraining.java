package dev.gptq.spark.train;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.spark.data.Outcome;
import dev.gptq.spark.data.SparkFailures;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.train.LogFunction;
import dev.gptq.train.RoundingTrainer.StepResult;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.spark.HashPartitioner;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.resource.ResourceProfile;
import scala.Tuple2;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * The driver's side of the barrier exchange: one Spark job per segment, whose barrier stage trains from one checkpoint to the
 * next. The stage's output is shuffled to the driver's task, because Spark tries a failed barrier stage again only when a
 * shuffle follows it; its tasks read the newest checkpoint themselves, so no attempt repeats what has been committed.
 */
final class BarrierTraining {
    private static final long PAUSE_MILLIS = 100;

    private final BlockJob job;
    private final int lanes;
    private final long timeoutMillis;
    private final List<StepResult> history;
    private final BiConsumer<StepResult, double[]> progress;
    private final Consumer<String> warnings;
    private final LogFunction logFunction;
    private final Runnable commitGuard;

    /**
     * @param lanes lanes of a step, the most tasks that have something to do
     * @param history of all steps so far; grows
     * @param logFunction called on the driver after every step, or null
     * @param commitGuard called before a checkpoint is written; throws when it must not be
     */
    BarrierTraining(
            BlockJob job,
            int lanes,
            int timeoutSeconds,
            List<StepResult> history,
            BiConsumer<StepResult, double[]> progress,
            Consumer<String> warnings,
            LogFunction logFunction,
            Runnable commitGuard) {
        this.job = job;
        this.lanes = lanes;
        this.timeoutMillis = timeoutSeconds * 1000L;
        this.history = history;
        this.progress = progress;
        this.warnings = warnings;
        this.logFunction = logFunction;
        this.commitGuard = commitGuard;
    }

    /** Tasks that can run at once now, in the run's resource profile. */
    static int slots(BlockJob job) {
        SparkContext spark = job.spark().sc();
        return spark.maxNumConcurrentTasks(profile(base(job, 1)));
    }

    private static JavaRDD<Integer> base(BlockJob job, int tasks) {
        return job.place(
                job.spark().parallelize(IntStream.range(0, tasks).boxed().toList(), tasks));
    }

    private static ResourceProfile profile(JavaRDD<Integer> rdd) {
        ResourceProfile own = rdd.rdd().getResourceProfile();
        return own == null ? rdd.context().resourceProfileManager().defaultResourceProfile() : own;
    }

    /** Trains a segment, and tries again with fewer tasks when executors are lost for good. */
    void run(Segment segment, StepReports reports) {
        while (history.size() < segment.end()) {
            attempt(segment, reports, Math.min(lanes, awaitSlots(1)));
        }
    }

    private int awaitSlots(int wanted) {
        long begin = System.currentTimeMillis();
        int slots = slots(job);
        while (slots < wanted) {
            if (System.currentTimeMillis() - begin > timeoutMillis) {
                throw new GptqException(
                        ErrorCode.CLUSTER,
                        "Cannot train by exchange 'barrier': no executor has taken a task for " + timeoutMillis / 1000
                                + " s. See the cluster's state, or set training.exchange to job.");
            }
            pause();
            slots = slots(job);
        }
        return slots;
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new GptqException(ErrorCode.CLUSTER, "Cannot train: interrupted. Start again.", e);
        }
    }

    private void attempt(Segment segment, StepReports reports, int tasks) {
        ClassTag<Outcome<SegmentResult>> tag = ClassTag$.MODULE$.apply(Outcome.class);
        JavaRDD<Integer> base = base(job, tasks);
        JavaRDD<Outcome<SegmentResult>> trained = base.rdd()
                .barrier()
                .mapPartitions(new SegmentTask(segment), false, tag)
                .toJavaRDD();
        JavaPairRDD<Integer, Outcome<SegmentResult>> results =
                trained.mapToPair(result -> new Tuple2<>(0, result)).partitionBy(new HashPartitioner(1));
        StageFailures failures = new StageFailures(trained.id());
        job.spark().sc().addSparkListener(failures);
        JavaFutureAction<List<Outcome<SegmentResult>>> action = results.values().collectAsync();
        try {
            if (!follow(action, failures, reports, profile(base), tasks)) {
                return;
            }
            for (Outcome<SegmentResult> outcome : action.get()) {
                List<StepResult> steps = outcome.get().history();
                for (StepResult result : steps) {
                    // Only the last step is not known by now, unless a failure took a report away.
                    boolean last = result.step() == steps.get(steps.size() - 1).step();
                    hear(new StepReport(result, last ? outcome.get().layers() : new double[0], null));
                }
            }
        } catch (ExecutionException e) {
            throw translate(e.getCause(), history.size());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new GptqException(ErrorCode.CLUSTER, "Cannot train: interrupted. Start again.", e);
        } finally {
            job.spark().sc().removeSparkListener(failures);
            action.cancel(true);
            results.rdd().cleanShuffleDependencies(false);
        }
    }

    /** Hears reports until the job is done; false when its executors have been missing for too long. */
    private boolean follow(
            JavaFutureAction<?> action, StageFailures failures, StepReports reports, ResourceProfile profile, int tasks)
            throws InterruptedException {
        long missingSince = Long.MAX_VALUE;
        while (true) {
            boolean done = action.isDone();
            String failure = failures.take();
            if (failure != null && !done) {
                warnings.accept("Training begins again at the last checkpoint: " + failure);
            }
            StepReports.Pending pending = reports.poll(done ? 0 : PAUSE_MILLIS);
            if (pending != null) {
                if (pending.report() == null) {
                    commitGuard.run();
                } else {
                    hear(pending.report());
                }
                pending.answer();
            } else if (done) {
                return true;
            } else {
                long now = System.currentTimeMillis();
                boolean missing = job.spark().sc().maxNumConcurrentTasks(profile) < tasks;
                missingSince = missing ? Math.min(missingSince, now) : Long.MAX_VALUE;
                if (missing && now - missingSince > timeoutMillis) {
                    warnings.accept("Executors are missing for " + timeoutMillis / 1000
                            + " s; training goes on with those that are there.");
                    return false;
                }
            }
        }
    }

    private void hear(StepReport report) {
        StepResult result = report.result();
        if (result.step() != history.size()) {
            return;
        }
        history.add(result);
        if (logFunction != null && report.parameters() != null) {
            logFunction.onStep(result, report.parameters());
        }
        progress.accept(result, report.layers());
    }

    private static GptqException translate(Throwable failure, int step) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String message = StageFailures.exchangeFailure(cause.getMessage());
            if (message != null) {
                return new GptqException(ErrorCode.CLUSTER, message, failure);
            }
        }
        return SparkFailures.translate(failure, "train from step " + step + " on", "See the executors' logs.");
    }
}
