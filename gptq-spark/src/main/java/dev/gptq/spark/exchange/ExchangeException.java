package dev.gptq.spark.exchange;

/** The exchange between executors failed; the stage may be tried again. */
public final class ExchangeException extends RuntimeException {
    public ExchangeException(String message) {
        super(message);
    }

    public ExchangeException(String message, Throwable cause) {
        super(message, cause);
    }

    static ExchangeException inStep(int step, String reason, Throwable cause) {
        return new ExchangeException(
                "Cannot exchange gradients in step " + step + ": " + reason + ". See the executors' logs.", cause);
    }

    /** For a task that was interrupted, which it stays. */
    static ExchangeException interrupted(int step, InterruptedException cause) {
        Thread.currentThread().interrupt();
        return inStep(step, "the task was interrupted", cause);
    }
}
