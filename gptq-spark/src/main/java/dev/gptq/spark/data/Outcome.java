package dev.gptq.spark.data;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.io.Serializable;
import java.util.concurrent.Callable;

/**
 * A task's result or the domain failure that ended it. Domain failures are results to Spark: thrown, they would be tried
 * again four times and come back wrapped in a stack trace.
 */
public record Outcome<T>(T value, GptqException failure) implements Serializable {
    /**
     * Calls {@code task}; other exceptions than GptqException go on to Spark, which retries. So do failures to read or
     * write, which another attempt on another machine may not meet; {@link SparkFailures} finds them in the end. A full heap
     * is a domain failure: Spark would end the JVM.
     */
    public static <T> Outcome<T> of(Callable<T> task) {
        try {
            return new Outcome<>(task.call(), null);
        } catch (GptqException e) {
            if (e.code() == ErrorCode.IO) {
                throw e;
            }
            return new Outcome<>(null, e);
        } catch (OutOfMemoryError e) {
            return new Outcome<>(null, FullHeap.of(e));
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** The value, or throws the failure. */
    public T get() {
        if (failure != null) {
            throw failure;
        }
        return value;
    }
}
