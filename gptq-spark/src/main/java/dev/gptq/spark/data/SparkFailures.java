package dev.gptq.spark.data;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.spark.SparkDriverExecutionException;
import org.apache.spark.SparkException;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.AnalysisException;

/** What Spark throws -> the failure behind it, as one line for people. */
public final class SparkFailures {
    private static final int LONGEST_REASON = 300;

    private SparkFailures() {}

    /**
     * The GptqException that was thrown in a task, else one made from the cause.
     *
     * @param action what could not be done, such as "read dataset 'x'"
     * @param remedy a sentence
     */
    public static GptqException translate(Throwable failure, String action, String remedy) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof GptqException domain) {
                return domain;
            }
        }
        FullHeap fullHeap = FullHeap.in(failure);
        if (fullHeap != null) {
            return fullHeap;
        }
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof AnalysisException) {
                return failure(ErrorCode.BAD_INPUT, cause, action, remedy);
            }
            if (cause instanceof IOException || cause instanceof UncheckedIOException) {
                ErrorCode code = cause instanceof FileNotFoundException ? ErrorCode.BAD_INPUT : ErrorCode.IO;
                return failure(code, cause, action, remedy);
            }
            if (isParquetFailure(cause) || isDataFailure(cause)) {
                return failure(ErrorCode.BAD_INPUT, cause, action, remedy);
            }
        }
        if (failure instanceof SparkDriverExecutionException && failure.getCause() != null) {
            // What the driver did with a task's result failed; executors' logs know nothing of it.
            throw failure.getCause() instanceof RuntimeException own ? own : new IllegalStateException(failure);
        }
        if (failure instanceof SparkException) {
            return failure(ErrorCode.CLUSTER, failure, action, "See the executors' logs.");
        }
        throw failure instanceof RuntimeException runtime ? runtime : new IllegalStateException(failure);
    }

    /** What Spark SQL says of a file or a value: a file it cannot read, a cast or division that failed. */
    private static boolean isDataFailure(Throwable cause) {
        if (!(cause instanceof SparkThrowable known) || known.getCondition() == null) {
            return false;
        }
        return !(cause instanceof SparkException)
                || known.getCondition().startsWith("FAILED_READ_FILE")
                || known.getCondition().startsWith("MALFORMED");
    }

    /** Parquet's own exceptions (a file that is none, a broken page) have no common type. */
    private static boolean isParquetFailure(Throwable cause) {
        String message = cause.getMessage();
        return cause.getClass().getName().startsWith("org.apache.parquet")
                || (message != null && message.contains("is not a Parquet file"));
    }

    /** Spark names the file that it cannot read; why is in the exception behind. */
    private static String what(Throwable cause) {
        String first = Files.firstLine(cause).replaceAll("\\.? +SQLSTATE: \\w+(; line \\d+ pos \\d+;?)?$", "");
        boolean named = cause instanceof SparkThrowable known
                && known.getCondition() != null
                && known.getCondition().startsWith("FAILED_READ_FILE");
        if (!named || cause.getCause() == null || cause.getCause().getMessage() == null) {
            return first;
        }
        String reason = cause.getCause().getMessage().replaceAll("\\s+", " ").replaceAll("[. ]+$", "");
        return first + ": "
                + (reason.length() <= LONGEST_REASON ? reason : reason.substring(0, LONGEST_REASON) + "...");
    }

    private static GptqException failure(ErrorCode code, Throwable cause, String action, String remedy) {
        String message = "Cannot " + action + ": " + what(cause) + ". " + remedy;
        return new GptqException(code, message, cause);
    }
}
