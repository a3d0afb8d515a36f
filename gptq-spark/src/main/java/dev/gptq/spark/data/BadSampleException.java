package dev.gptq.spark.data;

/** A sample that cannot be used; whoever knows where it came from turns this into a GptqException. */
final class BadSampleException extends Exception {
    BadSampleException(String reason) {
        super(reason);
    }
}
