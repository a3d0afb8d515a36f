package dev.gptq.spark.cluster;

import java.io.IOException;

/** Waits for other processes. */
final class Waiting {
    private static final long LIMIT_NANOS = 300_000_000_000L;
    private static final long PAUSE_MILLIS = 5;

    private Waiting() {}

    /** Something that is not true yet. */
    interface Condition {
        boolean holds() throws IOException;
    }

    /** Returns when the condition holds; an error that names it after five minutes. */
    static void until(String condition, Condition check) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        while (!check.holds()) {
            if (System.nanoTime() - begin > LIMIT_NANOS) {
                throw new IllegalStateException("Waited for five minutes until " + condition + ".");
            }
            Thread.sleep(PAUSE_MILLIS);
        }
    }
}
