package dev.gptq.spark.exchange;

/** The exchange between executors failed; the stage may be tried again. */
public final class ExchangeException extends RuntimeException {
    public ExchangeException(String message) {
        super(message);
    }

    public ExchangeException(String message, Throwable cause) {
        super(message, cause);
    }
}
