package dev.gptq.spark.exchange;

import dev.gptq.GptqException;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.IntSupplier;
import org.apache.spark.TaskKilledException;

/**
 * Where the tasks of a JVM wait for each other and for other members. Its lock guards what they share with the transport's
 * threads, and the first failure ends all of their waiting.
 */
final class TaskGate {
    static final long PAUSE_MILLIS = 100;

    private final int tasks;
    private final Duration timeout;
    private final IntSupplier step;
    private int arrived;
    private long generation;
    private Throwable failure;

    /**
     * @param tasks of this JVM
     * @param timeout how long to wait for another member
     * @param step the current one, for messages
     */
    TaskGate(int tasks, Duration timeout, IntSupplier step) {
        this.tasks = tasks;
        this.timeout = timeout;
        this.step = step;
    }

    /** Waits until all tasks of this JVM are here; the last one runs {@code last} first, without the lock. */
    void pass(BooleanSupplier killed, Runnable last) {
        long now;
        boolean isLast;
        synchronized (this) {
            check(killed);
            now = generation;
            arrived++;
            isLast = arrived == tasks;
        }
        if (isLast) {
            last.run();
        }
        synchronized (this) {
            if (isLast) {
                arrived = 0;
                generation++;
                notifyAll();
            }
            while (generation == now) {
                pause();
                check(killed);
            }
        }
    }

    /**
     * Waits for other members.
     *
     * @param missing names of members that something is missing from: of those that are connected, or of those that are not
     * @throws ExchangeException naming those that are gone or late
     */
    synchronized void await(
            BooleanSupplier condition, Function<Boolean, List<String>> missing, BooleanSupplier killed) {
        long begin = System.nanoTime();
        while (true) {
            check(killed);
            if (condition.getAsBoolean()) {
                return;
            }
            List<String> gone = missing.apply(false);
            if (!gone.isEmpty()) {
                throw ExchangeException.inStep(step.getAsInt(), String.join(", ", gone) + " is gone", null);
            }
            List<String> late = isLate(begin) ? missing.apply(true) : List.of();
            if (!late.isEmpty()) {
                throw ExchangeException.inStep(
                        step.getAsInt(), "no word from " + String.join(", ", late) + " for " + limit(), null);
            }
            pause();
        }
    }

    boolean isLate(long sinceNanos) {
        return System.nanoTime() - sinceNanos > timeout.toNanos();
    }

    /** The time limit, for messages. */
    String limit() {
        return timeout.toSeconds() + " s (training.exchange_timeout)";
    }

    /** Ends the caller when its task was killed or anything has failed. */
    synchronized void check(BooleanSupplier killed) {
        if (killed.getAsBoolean()) {
            throw new TaskKilledException("in step " + step.getAsInt());
        }
        if (failure instanceof GptqException domain) {
            throw domain;
        }
        if (failure != null) {
            throw new ExchangeException(failure.getMessage(), failure);
        }
    }

    /** Ends all tasks; false when something else has before. */
    synchronized boolean fail(Throwable cause) {
        if (failure != null) {
            return false;
        }
        failure = cause;
        notifyAll();
        return true;
    }

    private void pause() {
        try {
            wait(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            throw ExchangeException.interrupted(step.getAsInt(), e);
        }
    }
}
