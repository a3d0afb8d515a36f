package dev.gptq.jobs;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.Redaction;
import java.io.PrintWriter;
import java.io.StringWriter;

/** What people see of a failure: one line, and the stack trace only when they ask for it. */
final class FailureReport {
    private static final int UNEXPECTED = 1;
    private static final int MAX_CAUSES = 20;
    private static final long MEGABYTE = 1 << 20;

    private FailureReport() {}

    /** Prints the failure and returns the exit status that belongs to it. */
    static int print(Throwable failure, boolean debug, PrintWriter err) {
        GptqException known = known(failure);
        if (known == null && failure instanceof OutOfMemoryError) {
            known = new GptqException(
                    ErrorCode.CLUSTER,
                    "Cannot go on: the heap of %d MB is full. Start with a larger --driver-memory."
                            .formatted(Runtime.getRuntime().maxMemory() / MEGABYTE));
        }
        if (known != null) {
            err.println("gptq: " + oneLine(known.getMessage()));
        } else {
            err.println("gptq: Cannot go on: unexpected %s: %s. This is a defect of gptq or its environment; run with "
                            .formatted(failure.getClass().getName(), oneLine(failure.getMessage()))
                    + "--debug to see where.");
        }
        if (debug) {
            StringWriter trace = new StringWriter();
            failure.printStackTrace(new PrintWriter(trace, true));
            err.print(Redaction.text(trace.toString()));
        }
        err.flush();
        return known == null ? UNEXPECTED : known.code().exitStatus();
    }

    /** The domain exception among the causes, or null: Spark wraps what its tasks throw. */
    private static GptqException known(Throwable failure) {
        Throwable cause = failure;
        for (int depth = 0; cause != null && depth < MAX_CAUSES; depth++) {
            if (cause instanceof GptqException known) {
                return known;
            }
            cause = cause.getCause();
        }
        return null;
    }

    static String oneLine(String message) {
        return message == null ? "no message" : Redaction.text(message).strip().replaceAll("\\s*[\\r\\n]+\\s*", " ");
    }
}
