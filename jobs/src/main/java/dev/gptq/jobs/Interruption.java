package dev.gptq.jobs;

import java.io.OutputStream;
import java.io.PrintStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Says how to go on when Ctrl-C or a scheduler ends the process. The JVM is gone as soon as its shutdown hooks have ended,
 * Spark's among them, whether or not the main thread has heard of it; so a hook says it, after the main thread has cleaned
 * up, or after a moment where that computes something that nothing interrupts. The process ends with 128 and the signal's
 * number: 130 or 143.
 */
final class Interruption implements AutoCloseable {
    static final String MESSAGE =
            "Cannot finish the run: it was stopped. Start the same command again to go on from the last checkpoint.";

    private static final long CLEAN_UP_SECONDS = 3;

    private final CountDownLatch cleanedUp = new CountDownLatch(1);
    private final Thread hook = new Thread(this::lastWords, "gptq-interruption");
    private volatile boolean finished;

    private Interruption() {}

    /** Watches until it is closed. */
    static Interruption watch() {
        Interruption interruption = new Interruption();
        Runtime.getRuntime().addShutdownHook(interruption.hook);
        return interruption;
    }

    /** Nothing is left to go on with. */
    void finish() {
        finished = true;
    }

    private void lastWords() {
        PrintStream err = System.err;
        if (!finished) {
            // While Spark shuts down, work that is still running has its failures printed as bare stack traces.
            System.setErr(new PrintStream(OutputStream.nullOutputStream()));
        }
        try {
            cleanedUp.await(CLEAN_UP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!finished) {
            err.println("gptq: " + MESSAGE);
        }
    }

    /** Does not return when the JVM is ending: what the caller would say of its stopped work helps nobody. */
    @Override
    public void close() {
        cleanedUp.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException ending) {
            waitForTheEnd();
        }
    }

    private static void waitForTheEnd() {
        while (true) {
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
