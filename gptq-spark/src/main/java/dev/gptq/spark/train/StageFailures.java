package dev.gptq.spark.train;

import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageCompleted;
import org.apache.spark.scheduler.StageInfo;

/** Hears why attempts of barrier stages failed: Spark tries again without telling its caller. */
final class StageFailures extends SparkListener {
    private static final Pattern EXCHANGE = Pattern.compile("Cannot exchange gradients in step [^\\r\\n]*");
    private static final Pattern EXCEPTION = Pattern.compile("(?m)^[\\w.$]+(?:Exception|Error)(?:: [^\\r\\n]*)?$");

    private final AtomicReference<String> last = new AtomicReference<>();

    /** One line about a barrier stage that failed since this was asked last; null when none has. */
    String take() {
        return last.getAndSet(null);
    }

    @Override
    public void onStageCompleted(SparkListenerStageCompleted completed) {
        StageInfo stage = completed.stageInfo();
        if (stage.failureReason().isDefined() && stage.rddInfos().exists(rdd -> rdd.isBarrier())) {
            last.set(firstCause(stage.failureReason().get()));
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
