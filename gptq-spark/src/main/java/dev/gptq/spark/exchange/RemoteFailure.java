package dev.gptq.spark.exchange;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;

/** What ended another member, with its code and message; it is not told to others again. */
final class RemoteFailure extends GptqException {
    private static final char SEPARATOR = '\n';

    private RemoteFailure(ErrorCode code, String message) {
        super(code, message);
    }

    /** The text of a failure message. */
    static String encode(GptqException failure) {
        return failure.code() + String.valueOf(SEPARATOR) + failure.getMessage();
    }

    /** Reads what {@link #encode} wrote. */
    static RemoteFailure decode(String text) {
        int end = text.indexOf(SEPARATOR);
        for (ErrorCode code : ErrorCode.values()) {
            if (end > 0 && code.toString().equals(text.substring(0, end))) {
                return new RemoteFailure(code, text.substring(end + 1));
            }
        }
        throw new IllegalArgumentException("Cannot accept a message: its failure has no code.");
    }
}
