package dev.gptq;

/** What kind of failure ended a run, and the exit status a command line reports for it. */
public enum ErrorCode {
    /** The configuration, the model file or the dataset is not what it has to be. */
    BAD_INPUT(2),
    /** A path cannot be read or written, or an output directory is in use. */
    IO(3),
    /** The model is valid ONNX but holds something that cannot be quantized or run. */
    UNSUPPORTED_MODEL(4),
    /** Training produced values that are not finite. */
    DIVERGED(5),
    /** The cluster did not do what was asked of it. */
    CLUSTER(6),
    /** A person stopped the run. */
    INTERRUPTED(130);

    private final int exitStatus;

    ErrorCode(int exitStatus) {
        this.exitStatus = exitStatus;
    }

    /** The exit status of a process that ends with this failure. */
    public int exitStatus() {
        return exitStatus;
    }
}
