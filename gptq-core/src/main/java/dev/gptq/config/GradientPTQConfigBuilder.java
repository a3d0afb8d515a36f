package dev.gptq.config;

import dev.gptq.config.GradientPTQConfig.QuantizerParametersOverride;

/**
 * Builds a {@link GradientPTQConfig}. What is not set has the value that MCT's get_pytorch_gptq_config gives it,
 * where loss and regularization factor depend on the Hessian weights as they do there.
 */
public final class GradientPTQConfigBuilder {
    private Integer nEpochs;
    private String loss;
    private OptimizerConfig optimizer = defaultOptimizer();
    private OptimizerConfig optimizerRest = defaultOptimizerRest();
    private OptimizerConfig optimizerBias = defaultOptimizerBias();
    private OptimizerConfig optimizerQuantizationParameter;
    private boolean trainBias = true;
    private GPTQHessianScoresConfig hessianWeightsConfig;
    private boolean hessianWeightsGiven;
    private GradualActivationQuantizationConfig gradualActivationQuantizationConfig =
            GradualActivationQuantizationConfig.defaults();
    private Double regularizationFactor;
    private RoundingType roundingType = RoundingType.SoftQuantizer;
    private String logFunction;
    private QuantizerParametersOverride quantizerParametersOverride = QuantizerParametersOverride.NONE;

    private RoundingPhasesConfig roundingPhases = RoundingPhasesConfig.defaults();
    private ErrorCompensationConfig errorCompensationConfig;

    GradientPTQConfigBuilder() {}

    static OptimizerConfig defaultOptimizer() {
        return OptimizerConfig.adam(3e-2);
    }

    static OptimizerConfig defaultOptimizerRest() {
        return OptimizerConfig.adam(1e-4);
    }

    static OptimizerConfig defaultOptimizerBias() {
        return OptimizerConfig.sgd(1e-4, 0.9);
    }

    /** Sample-layer attention, unless a loss was named that takes one weight per layer. */
    static GPTQHessianScoresConfig defaultHessianWeights(String loss) {
        return GradientPTQConfig.MULTIPLE_TENSORS_MSE.equals(loss)
                ? GPTQHessianScoresConfig.perLayerDefaults()
                : GPTQHessianScoresConfig.perSampleDefaults();
    }

    public GradientPTQConfigBuilder setNEpochs(int value) {
        this.nEpochs = value;
        return this;
    }

    /** Null: the built-in loss that fits the Hessian weights. */
    public GradientPTQConfigBuilder optLoss(String value) {
        this.loss = value;
        return this;
    }

    public GradientPTQConfigBuilder optOptimizer(OptimizerConfig value) {
        this.optimizer = value;
        return this;
    }

    public GradientPTQConfigBuilder optOptimizerRest(OptimizerConfig value) {
        this.optimizerRest = value;
        return this;
    }

    /** Null: biases use optimizerRest. */
    public GradientPTQConfigBuilder optOptimizerBias(OptimizerConfig value) {
        this.optimizerBias = value;
        return this;
    }

    /** Null, the default: learned scales use optimizerRest. */
    public GradientPTQConfigBuilder optOptimizerQuantizationParameter(OptimizerConfig value) {
        this.optimizerQuantizationParameter = value;
        return this;
    }

    public GradientPTQConfigBuilder optTrainBias(boolean value) {
        this.trainBias = value;
        return this;
    }

    /** Null: all layers weigh the same. */
    public GradientPTQConfigBuilder optHessianWeightsConfig(GPTQHessianScoresConfig value) {
        this.hessianWeightsConfig = value;
        this.hessianWeightsGiven = true;
        return this;
    }

    /** Null: activations are quantized fully from the first step. */
    public GradientPTQConfigBuilder optGradualActivationQuantizationConfig(GradualActivationQuantizationConfig value) {
        this.gradualActivationQuantizationConfig = value;
        return this;
    }

    /** Null: 10 with sample-layer attention, 0.01 without. */
    public GradientPTQConfigBuilder optRegularizationFactor(Double value) {
        this.regularizationFactor = value;
        return this;
    }

    public GradientPTQConfigBuilder optRoundingType(RoundingType value) {
        this.roundingType = value;
        return this;
    }

    public GradientPTQConfigBuilder optLogFunction(String value) {
        this.logFunction = value;
        return this;
    }

    public GradientPTQConfigBuilder optQuantizerParametersOverride(QuantizerParametersOverride value) {
        this.quantizerParametersOverride = value;
        return this;
    }

    public GradientPTQConfigBuilder optRoundingPhases(RoundingPhasesConfig value) {
        this.roundingPhases = value;
        return this;
    }

    /** Null, the default: training starts from float kernels. */
    public GradientPTQConfigBuilder optErrorCompensationConfig(ErrorCompensationConfig value) {
        this.errorCompensationConfig = value;
        return this;
    }

    /** @throws dev.gptq.GptqException BAD_INPUT with key, value and remedy */
    public GradientPTQConfig build() {
        Check.given(nEpochs, "n_epochs", "Set the number of passes over the calibration data, for example 5");
        GPTQHessianScoresConfig hessian = hessianWeightsGiven ? hessianWeightsConfig : defaultHessianWeights(loss);
        boolean attention = hessian != null && hessian.perSample();
        String chosenLoss = loss;
        if (chosenLoss == null) {
            chosenLoss = attention ? GradientPTQConfig.SAMPLE_LAYER_ATTENTION : GradientPTQConfig.MULTIPLE_TENSORS_MSE;
        }
        double factor = attention
                ? GradientPTQConfig.REGULARIZATION_WITH_ATTENTION
                : GradientPTQConfig.REGULARIZATION_WITHOUT_ATTENTION;
        return new GradientPTQConfig(
                nEpochs,
                chosenLoss,
                optimizer,
                optimizerRest,
                trainBias,
                hessian,
                gradualActivationQuantizationConfig,
                regularizationFactor == null ? factor : regularizationFactor,
                roundingType,
                optimizerQuantizationParameter,
                optimizerBias,
                logFunction,
                quantizerParametersOverride,
                roundingPhases,
                errorCompensationConfig);
    }
}
