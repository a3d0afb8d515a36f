package dev.gptq.config;

import java.io.Serializable;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * MCT's GradientPTQConfig. {@link #defaults(int)} equals MCT's get_pytorch_gptq_config(n_epochs).
 *
 * @param nEpochs passes over the calibration data; 0 leaves the model with plain post-training quantization
 * @param loss a built-in loss ({@link #SAMPLE_LAYER_ATTENTION}, {@link #MULTIPLE_TENSORS_MSE}) or the full name of a
 *     user class
 * @param optimizer of the rounding variables
 * @param optimizerRest of everything that has no optimizer of its own; null only when nothing needs it
 * @param trainBias whether biases of the compare points' layers are trained
 * @param hessianWeightsConfig null: all layers weigh the same
 * @param gradualActivationQuantizationConfig null: activations are quantized fully from the first step
 * @param regularizationFactor weight of the rounding regularizer, from 0 up
 * @param optimizerQuantizationParameter of learned scales; null means {@code optimizerRest}
 * @param optimizerBias null means {@code optimizerRest}
 * @param logFunction full name of a user class called after every step, or null
 * @param quantizerParametersOverride quantization_parameter_learning, max_lsbs_change_map
 * @param roundingPhases when the regularizer acts, and when rounding becomes hard; not in MCT, whose values are the default
 * @param errorCompensationConfig how kernels are rounded before training; null, as in MCT: training starts from float
 *     kernels
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
        QuantizerParametersOverride quantizerParametersOverride,
        RoundingPhasesConfig roundingPhases,
        ErrorCompensationConfig errorCompensationConfig)
        implements Serializable {
    /** The loss of sample-layer attention; needs one Hessian weight per sample and layer. */
    public static final String SAMPLE_LAYER_ATTENTION = "sample_layer_attention";

    /** Mean over layers of the weighted, normalised squared error. */
    public static final String MULTIPLE_TENSORS_MSE = "multiple_tensors_mse";

    /** Names of the built-in losses. */
    public static final List<String> LOSSES = List.of(SAMPLE_LAYER_ATTENTION, MULTIPLE_TENSORS_MSE);

    /** MCT, REG_DEFAULT_SLA: regularization factor with sample-layer attention. */
    public static final double REGULARIZATION_WITH_ATTENTION = 10;

    /** MCT, REG_DEFAULT: regularization factor without sample-layer attention. */
    public static final double REGULARIZATION_WITHOUT_ATTENTION = 0.01;

    /** MCT's gptq_quantizer_params_override. */
    public record QuantizerParametersOverride(
            boolean quantizationParameterLearning, Map<Integer, Integer> maxLsbsChangeMap) implements Serializable {
        /** Scales stay as calibrated; the straight-through estimator moves a weight by one step at most. */
        public static final QuantizerParametersOverride NONE = new QuantizerParametersOverride(false, Map.of());

        /**
         * @param quantizationParameterLearning whether scales (symmetric) or ranges (uniform) are learned
         * @param maxLsbsChangeMap bits of a kernel -> quantization steps the STE may move a weight by; 1 where absent
         */
        public QuantizerParametersOverride {
            Check.given(maxLsbsChangeMap, "max_lsbs_change_map", "Use {} for the default of one step");
            maxLsbsChangeMap.forEach((bits, steps) -> {
                Check.between(bits, 2, 8, "max_lsbs_change_map");
                Check.atLeast(steps, 1, "max_lsbs_change_map." + bits);
            });
            maxLsbsChangeMap = Collections.unmodifiableMap(new TreeMap<>(maxLsbsChangeMap));
        }

        /** Quantization steps a weight of a kernel with this many bits may move by. */
        public int maxLsbsChange(int bits) {
            return maxLsbsChangeMap.getOrDefault(bits, 1);
        }
    }

    public GradientPTQConfig {
        Check.atLeast(nEpochs, 0, "n_epochs");
        LossName.checkLoss(loss);
        Check.given(optimizer, "optimizer", "Remove the key for Adam with learning rate 0.03");
        boolean attention = hessianWeightsConfig != null && hessianWeightsConfig.perSample();
        Check.that(
                attention || !loss.equals(SAMPLE_LAYER_ATTENTION),
                "loss",
                loss,
                "sample-layer attention needs one Hessian weight per sample and layer",
                "Set hessian_weights_config.per_sample to true, or loss to " + MULTIPLE_TENSORS_MSE);
        Check.that(
                !attention || !loss.equals(MULTIPLE_TENSORS_MSE),
                "loss",
                loss,
                "it takes one weight per layer and hessian_weights_config.per_sample is true",
                "Set per_sample to false, or loss to " + SAMPLE_LAYER_ATTENTION);
        Check.notNegative(regularizationFactor, "regularization_factor");
        Check.given(roundingType, "rounding_type", "Use SoftQuantizer or STE");
        Check.given(roundingPhases, "rounding_phases", "Remove the key for the default");
        Check.given(quantizerParametersOverride, "gptq_quantizer_params_override", "Remove the key for the default");
        Check.that(
                optimizerRest != null || optimizerBias != null || !trainBias,
                "optimizer_rest",
                "null",
                "biases are trained and have no optimizer of their own",
                "Set optimizer_bias or optimizer_rest, or train_bias to false");
        Check.that(
                optimizerRest != null
                        || optimizerQuantizationParameter != null
                        || !quantizerParametersOverride.quantizationParameterLearning(),
                "optimizer_rest",
                "null",
                "quantization parameters are learned and have no optimizer of their own",
                "Set optimizer_quantization_parameter or optimizer_rest, or quantization_parameter_learning to false");
        if (logFunction != null) {
            LossName.checkClassName("log_function", logFunction);
        }
    }

    /** MCT's get_pytorch_gptq_config(n_epochs): sample-layer attention with gradual activation quantization. */
    public static GradientPTQConfig defaults(int nEpochs) {
        return builder().setNEpochs(nEpochs).build();
    }

    /**
     * MCT's get_pytorch_gptq_config with all of its parameters.
     *
     * @param optimizer null: Adam with learning rate 0.03
     * @param optimizerRest null: Adam with learning rate 0.0001; biases keep SGD with 0.0001 and momentum 0.9
     * @param loss null: {@link #SAMPLE_LAYER_ATTENTION} with attention, else {@link #MULTIPLE_TENSORS_MSE}
     * @param logFunction full name of a user class, or null
     * @param regularizationFactor null: 10 with attention, 0.01 without
     * @param gradualActivationQuantization null: off
     * @throws dev.gptq.GptqException BAD_INPUT for attention without Hessian weights
     */
    public static GradientPTQConfig defaults(
            int nEpochs,
            OptimizerConfig optimizer,
            OptimizerConfig optimizerRest,
            String loss,
            String logFunction,
            boolean useHessianBasedWeights,
            Double regularizationFactor,
            int hessianBatchSize,
            boolean useHessianSampleAttention,
            GradualActivationQuantizationConfig gradualActivationQuantization) {
        Check.that(
                useHessianBasedWeights || !useHessianSampleAttention,
                "use_hessian_based_weights",
                useHessianBasedWeights,
                "sample-layer attention weighs layers by Hessian scores",
                "Set it to true, or use_hessian_sample_attention to false");
        GPTQHessianScoresConfig hessian = null;
        if (useHessianBasedWeights) {
            hessian = GPTQHessianScoresConfig.builder()
                    .setPerSample(useHessianSampleAttention)
                    .optHessiansNumSamples(
                            useHessianSampleAttention ? null : GPTQHessianScoresConfig.DEFAULT_NUM_SAMPLES)
                    .optHessianBatchSize(hessianBatchSize)
                    .build();
        }
        GradientPTQConfigBuilder builder = builder()
                .setNEpochs(nEpochs)
                .optHessianWeightsConfig(hessian)
                .optLoss(loss)
                .optLogFunction(logFunction)
                .optRegularizationFactor(regularizationFactor)
                .optGradualActivationQuantizationConfig(gradualActivationQuantization);
        if (optimizer != null) {
            builder.optOptimizer(optimizer);
        }
        if (optimizerRest != null) {
            builder.optOptimizerRest(optimizerRest);
        }
        return builder.build();
    }

    /** A builder whose start is {@link #defaults(int)}. */
    public static GradientPTQConfigBuilder builder() {
        return new GradientPTQConfigBuilder();
    }

    /** The optimizer of biases: {@code optimizerBias}, or {@code optimizerRest} where that is null. */
    public OptimizerConfig resolvedOptimizerBias() {
        return optimizerBias == null ? optimizerRest : optimizerBias;
    }

    /** The optimizer of learned scales, {@code optimizerRest} where none is given. */
    public OptimizerConfig resolvedOptimizerQuantizationParameter() {
        return optimizerQuantizationParameter == null ? optimizerRest : optimizerQuantizationParameter;
    }
}
