package dev.gptq.spark.train;

import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.TaskFailedReason;
import org.apache.spark.TaskKilled;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageCompleted;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.StageInfo;

/**
 * Hears why attempts of a barrier stage failed: Spark tries again without telling its caller. The tasks' own reasons are kept,
 * because Spark fails the stage once more, and overwrites what it said, for every other task that it kills then.
 */
final class StageFailures extends SparkListener {
    private static final Pattern EXCHANGE = Pattern.compile("Cannot exchange gradients in step [^\\r\\n]*");
    private static final Pattern EXCEPTION = Pattern.compile("(?m)^[\\w.$]+(?:Exception|Error)(?:: [^\\r\\n]*)?$");

    private final int barrierRdd;
    private final AtomicReference<String> last = new AtomicReference<>();
    // The rest is touched by the listener bus's one thread only.
    private int stage = -1;
    private int attempt;
    private String cause;
    private boolean told;

    /** {@code barrierRdd} is the number of the RDD that the stage computes. */
    StageFailures(int barrierRdd) {
        this.barrierRdd = barrierRdd;
    }

    /** One line about the stage that failed since this was asked last; null when none has. */
    String take() {
        return last.getAndSet(null);
    }

    @Override
    public void onStageSubmitted(SparkListenerStageSubmitted submitted) {
        StageInfo info = submitted.stageInfo();
        if (info.rddInfos().exists(rdd -> rdd.id() == barrierRdd)) {
            stage = info.stageId();
            attempt = info.attemptNumber();
            cause = null;
            told = false;
        }
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
        if (isCurrent(end.stageId(), end.stageAttemptId())
                && cause == null
                && end.reason() instanceof TaskFailedReason failure
                && !(failure instanceof TaskKilled)) {
            cause = failure.toErrorString();
        }
    }

    @Override
    public void onStageCompleted(SparkListenerStageCompleted completed) {
        StageInfo info = completed.stageInfo();
        if (isCurrent(info.stageId(), info.attemptNumber())
                && info.failureReason().isDefined()
                && !told) {
            told = true;
            last.set(firstCause(cause == null ? info.failureReason().get() : cause));
        }
    }

    private boolean isCurrent(int otherStage, int otherAttempt) {
        return otherStage == stage && otherAttempt == attempt;
    }

    /** What the exchange had to say in Spark's text, or null. */
    static String exchangeFailure(String text) {
        Matcher failure = EXCHANGE.matcher(String.valueOf(text));
        return failure.find() ? failure.group() : null;
    }

    private static String firstCause(String reason) {
        String exchange = exchangeFailure(reason);
        if (exchange != null) {
            return exchange;
        }
        Matcher exception = EXCEPTION.matcher(reason);
        return exception.find() ? exception.group() : reason.lines().findFirst().orElse(reason);
    }
}
