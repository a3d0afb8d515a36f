package dev.gptq.spark.train;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageCompleted;

/** Remembers why the last stage attempt failed: Spark tries again without telling its caller. */
final class StageFailures extends SparkListener {
    private static final Pattern EXCHANGE = Pattern.compile("Cannot exchange gradients in step [^\\r\\n]*");
    private static final Pattern EXCEPTION = Pattern.compile("(?m)^[\\w.$]+(?:Exception|Error)(?:: [^\\r\\n]*)?$");

    private volatile String last = "see the executors' logs.";

    /** One line. */
    String last() {
        return last;
    }

    @Override
    public void onStageCompleted(SparkListenerStageCompleted stage) {
        if (stage.stageInfo().failureReason().isDefined()) {
            last = firstCause(stage.stageInfo().failureReason().get());
        }
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
