package dev.gptq.config;

import java.io.Serializable;
import java.util.List;

/**
 * One run: the whole YAML file.
 *
 * @param model path of the float ONNX model
 * @param calibration the representative dataset; needs no labels
 * @param evaluation null: no evaluation data; metrics then hold SQNR, cosine and agreement on calibration data only
 * @param recipe where values came from that the file left out; by itself it changes nothing
 * @param seed of every random choice
 * @param device auto, cpu or gpu
 * @param gpusPerTask share of a GPU that a task asks for where it computes on one; several tasks may share a GPU
 * @param allowUserClasses whether loss, log_function and reader may name classes outside this project
 * @param tracking where numbers go while the run goes on
 */
public record RunConfig(
        String model,
        DatasetConfig calibration,
        DatasetConfig evaluation,
        Recipe recipe,
        QuantizationConfig quantization,
        GradientPTQConfig gptq,
        TrainingConfig training,
        OutputConfig output,
        long seed,
        String device,
        double gpusPerTask,
        boolean allowUserClasses,
        TrackingConfig tracking)
        implements Serializable {
    /** What {@code device} may be: auto takes the GPUs that Spark assigned, or the CPU. */
    public static final List<String> DEVICES = List.of("auto", "cpu", "gpu");

    static final double WHOLE_GPU = 1;

    public RunConfig {
        Check.text(model, "model", "Set it to the path of a float ONNX model");
        Check.given(calibration, "data.calibration", "Set at least data.calibration.path");
        Check.given(recipe, "recipe", "Use mct or accurate");
        Check.given(quantization, "quantization", "Remove the key for the default preset");
        Check.given(gptq, "gptq", "Set at least gptq.n_epochs; 0 gives plain post-training quantization");
        Check.given(training, "training", "Remove the key for the defaults");
        Check.given(tracking, "tracking", "Remove the key for none");
        Check.given(output, "output", "Set at least output.path");
        Check.that(
                device != null && DEVICES.contains(device),
                "device",
                device,
                "it is not a kind of device",
                "Use one of " + String.join(", ", DEVICES));
        Check.that(
                gpusPerTask > 0 && gpusPerTask <= 1,
                "gpus_per_task",
                gpusPerTask,
                "a task computes on one GPU or shares it",
                "Use a number above 0 and at most 1, such as 0.5 for two tasks on each GPU");
        Check.that(
                gptq.roundingType() != RoundingType.STE
                        || quantization.possibleWeights().stream()
                                .noneMatch(weights -> weights.method() == QuantizationMethod.UNIFORM),
                "gptq.rounding_type",
                gptq.roundingType(),
                "the straight-through estimator has no quantizer for uniform weights",
                "Use SoftQuantizer, or set quantization.weights.method (and those of quantization.layers) to symmetric");
        Check.that(
                gptq.nEpochs() > 0
                        || quantization.possibleWeights().stream()
                                .noneMatch(weights -> weights.thresholdMethod() == ThresholdMethod.HMSE),
                "gptq.n_epochs",
                gptq.nEpochs(),
                "the weight threshold method hmse is for runs with gradient training only",
                "Use 1 or more, or set quantization.weights.threshold_method (and those of quantization.layers) to mse");
        refuseUserClass(allowUserClasses, LossName.isBuiltIn(gptq.loss()) ? null : gptq.loss(), "gptq.loss");
        refuseUserClass(allowUserClasses, gptq.logFunction(), "gptq.log_function");
        refuseUserClass(allowUserClasses, calibration.reader(), "data.calibration.reader");
        refuseUserClass(allowUserClasses, evaluation == null ? null : evaluation.reader(), "data.evaluation.reader");
    }

    private static void refuseUserClass(boolean allowed, String className, String key) {
        Check.that(
                allowed || className == null,
                key,
                className,
                "a configuration may run code of its own only when that is allowed",
                "Set allow_user_classes to true if you trust this class");
    }

    public static RunConfigBuilder builder() {
        return new RunConfigBuilder();
    }
}
