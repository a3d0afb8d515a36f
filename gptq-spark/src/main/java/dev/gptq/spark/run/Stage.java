package dev.gptq.spark.run;

import java.util.Locale;

/** The stages of a run, in their order. */
public enum Stage {
    /** Decodes the datasets and compares the engine with ONNX Runtime on the model. */
    PREPARE,
    /** Activation statistics and the quantization plan. */
    CALIBRATE,
    /** Hessian scores and the loss weights that follow from them. */
    HESSIAN,
    /** Learns the rounding. */
    TRAIN,
    /** Writes the quantized models. */
    EXPORT,
    /** Compares the float model with the quantized ones. */
    EVALUATE,
    /** Writes the report and completes the run. */
    REPORT;

    /** The name that progress, messages and the command line use. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
