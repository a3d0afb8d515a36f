package dev.gptq;

/** A failure that a person can act on; its message reads "Cannot (verb) (thing): (reason). (remedy)" and holds no secrets. */
public class GptqException extends RuntimeException {
    private final ErrorCode code;

    public GptqException(ErrorCode code, String message) {
        super(Redaction.text(message));
        this.code = code;
    }

    public GptqException(ErrorCode code, String message, Throwable cause) {
        super(Redaction.text(message), cause);
        this.code = code;
    }

    /** A failure caused by configuration, model or data. */
    public static GptqException badInput(String format, Object... arguments) {
        return new GptqException(ErrorCode.BAD_INPUT, String.format(java.util.Locale.ROOT, format, arguments));
    }

    /** A failure to read or write, with the underlying cause kept for {@code --debug}. */
    public static GptqException io(Throwable cause, String format, Object... arguments) {
        return new GptqException(ErrorCode.IO, String.format(java.util.Locale.ROOT, format, arguments), cause);
    }

    /** A model that holds something which cannot be run or quantized. */
    public static GptqException unsupported(String format, Object... arguments) {
        return new GptqException(ErrorCode.UNSUPPORTED_MODEL, String.format(java.util.Locale.ROOT, format, arguments));
    }

    public ErrorCode code() {
        return code;
    }
}
