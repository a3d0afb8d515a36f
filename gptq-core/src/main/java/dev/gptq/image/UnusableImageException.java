package dev.gptq.image;

/** Bytes that are no image, or none that can be used; the message is a clause that says why. */
public final class UnusableImageException extends Exception {
    UnusableImageException(String reason) {
        super(reason);
    }
}
