package dev.gptq.config;

import java.io.Serializable;
import java.util.Map;

/**
 * MCT's GradientPTQConfig.
 *
 * @param loss name of a built-in loss ("sample_layer_attention", "multiple_tensors_mse") or of a user class
 * @param hessianWeightsConfig null: all layers weigh the same
 * @param gradualActivationQuantizationConfig null: activations are quantized fully from the first step
 * @param optimizerBias null means {@code optimizerRest}
 * @param optimizerQuantizationParameter null means {@code optimizerRest}
 * @param logFunction name of a user class, or null
 * @param quantizerParametersOverride quantization_parameter_learning, max_lsbs_change_map
 */
public record GradientPTQConfig(
        int nEpochs,
        String loss,
        OptimizerConfig optimizer,
        OptimizerConfig optimizerRest,
        boolean trainBias,
        GPTQHessianScoresConfig hessianWeightsConfig,
        GradualActivationQuantizationConfig gradualActivationQuantizationConfig,
        double regularizationFactor,
        RoundingType roundingType,
        OptimizerConfig optimizerQuantizationParameter,
        OptimizerConfig optimizerBias,
        String logFunction,
        QuantizerParametersOverride quantizerParametersOverride)
        implements Serializable {
    /** MCT's gptq_quantizer_params_override. */
    public record QuantizerParametersOverride(
            boolean quantizationParameterLearning, Map<Integer, Integer> maxLsbsChangeMap) implements Serializable {}
}
