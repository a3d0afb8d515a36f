package dev.gptq.spark.data;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.util.Locale;
import org.apache.spark.SparkEnv;

/** An OutOfMemoryError of a JVM of the cluster, as a sentence. Another attempt there would end the same way. */
public final class FullHeap extends GptqException {
    private static final long MEGABYTE = 1 << 20;
    /** What Spark calls it. */
    private static final String DRIVER = "driver";

    private static final String ERROR = "java.lang.OutOfMemoryError";

    private final String reason;

    private FullHeap(String action, String reason, Throwable cause) {
        super(ErrorCode.CLUSTER, "Cannot " + action + ": " + reason, cause);
        this.reason = reason;
    }

    /** In the JVM where it happened. */
    public static FullHeap of(OutOfMemoryError error) {
        SparkEnv env = SparkEnv.get();
        boolean driver = env == null || env.executorId().equals(DRIVER);
        String where = driver ? "the driver" : "executor " + env.executorId();
        long megabytes = Runtime.getRuntime().maxMemory() / MEGABYTE;
        String remedy = driver
                ? "Start with more, for instance --driver-memory " + more(megabytes)
                        + " (where there is no spark-submit: -Xmx)"
                : "Set spark.executor.memory to more, for instance " + more(megabytes);
        String message = error.getMessage() == null ? "" : error.getMessage();
        boolean heap = message.contains("heap") || message.contains("GC overhead");
        String full = heap
                ? "the heap of %s, %d MB, is full".formatted(where, megabytes)
                : "%s is out of memory (%s)".formatted(where, message);
        return new FullHeap("go on", full + ". " + remedy + ", or make model, batch and lanes smaller.", error);
    }

    /** Among the causes of what Spark threw, or in what it says of them; null when there is none. */
    static FullHeap in(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof OutOfMemoryError error) {
                return of(error);
            }
            if (cause.getMessage() != null && cause.getMessage().contains(ERROR)) {
                String reason =
                        "the heap of a JVM that runs tasks is full. Start with a larger --executor-memory, or with a"
                                + " larger --driver-memory where the master is local.";
                return new FullHeap("go on", reason, failure);
            }
        }
        return null;
    }

    /** The same, with what could not be done: "finish stage train". */
    public FullHeap during(String action) {
        return new FullHeap(action, reason, this);
    }

    private static String more(long megabytes) {
        return String.format(Locale.ROOT, "%dg", 2 * megabytes / 1024 + 1);
    }
}
