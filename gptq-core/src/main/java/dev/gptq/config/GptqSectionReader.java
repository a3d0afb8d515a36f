package dev.gptq.config;

import dev.gptq.config.GradientPTQConfig.QuantizerParametersOverride;
import java.util.Map;
import java.util.TreeMap;

/** The gptq section: MCT's field names in snake_case. */
final class GptqSectionReader {
    private GptqSectionReader() {}

    static GradientPTQConfig read(Settings settings) {
        return settings.build(builder(settings)::build);
    }

    /** What the section says; n_epochs may still be missing. */
    static GradientPTQConfigBuilder builder(Settings settings) {
        GradientPTQConfigBuilder builder = GradientPTQConfig.builder();
        if (settings.has("n_epochs")) {
            builder.setNEpochs(settings.whole("n_epochs", 0));
        }
        String loss = settings.text("loss", null);
        builder.optLoss(loss)
                .optOptimizer(optimizer(settings, "optimizer", GradientPTQConfigBuilder.defaultOptimizer()))
                .optOptimizerRest(
                        optimizer(settings, "optimizer_rest", GradientPTQConfigBuilder.defaultOptimizerRest()))
                .optOptimizerBias(
                        optimizer(settings, "optimizer_bias", GradientPTQConfigBuilder.defaultOptimizerBias()))
                .optTrainBias(settings.flag("train_bias", true))
                .optHessianWeightsConfig(settings.orNull(
                        "hessian_weights_config",
                        GradientPTQConfigBuilder.defaultHessianWeights(loss),
                        key -> hessianWeights(settings.section(key), loss)))
                .optGradualActivationQuantizationConfig(settings.orNull(
                        "gradual_activation_quantization_config",
                        GradualActivationQuantizationConfig.defaults(),
                        key -> gradualActivations(settings.section(key))))
                .optRoundingType(settings.constant("rounding_type", RoundingType.class, RoundingType.SoftQuantizer))
                .optRoundingPhases(roundingPhases(settings.section("rounding_phases")))
                .optErrorCompensationConfig(settings.orNull(
                        "error_compensation_config", null, key -> errorCompensation(settings.section(key))))
                .optLogFunction(settings.orNull("log_function", null, key -> settings.text(key, null)))
                .optQuantizerParametersOverride(
                        quantizerParameters(settings.section("gptq_quantizer_params_override")));
        if (settings.has("regularization_factor")) {
            builder.optRegularizationFactor(settings.number("regularization_factor", 0));
        }
        builder.optOptimizerQuantizationParameter(settings.orNull(
                "optimizer_quantization_parameter",
                null,
                key -> OptimizerReader.read(settings.section(key), GradientPTQConfigBuilder.defaultOptimizerRest())));
        return builder;
    }

    private static OptimizerConfig optimizer(Settings settings, String name, OptimizerConfig template) {
        return settings.orNull(name, template, key -> OptimizerReader.read(settings.section(key), template));
    }

    private static GPTQHessianScoresConfig hessianWeights(Settings settings, String loss) {
        boolean perSample = settings.flag(
                "per_sample",
                GradientPTQConfigBuilder.defaultHessianWeights(loss).perSample());
        GPTQHessianScoresConfig base =
                perSample ? GPTQHessianScoresConfig.perSampleDefaults() : GPTQHessianScoresConfig.perLayerDefaults();
        return settings.build(() -> new GPTQHessianScoresConfig(
                perSample,
                settings.orNull("hessians_num_samples", base.hessiansNumSamples(), key -> settings.whole(key, 0)),
                settings.orNull("norm_scores", null, key -> settings.flag(key, false)),
                settings.orNull("log_norm", null, key -> settings.flag(key, false)),
                settings.flag("scale_log_norm", false),
                settings.whole("hessian_batch_size", base.hessianBatchSize())));
    }

    private static GradualActivationQuantizationConfig gradualActivations(Settings settings) {
        Settings policy = settings.section("q_fraction_scheduler_policy");
        QFractionLinearAnnealingConfig base = QFractionLinearAnnealingConfig.defaults();
        return new GradualActivationQuantizationConfig(policy.build(() -> new QFractionLinearAnnealingConfig(
                policy.number("initial_q_fraction", base.initialQFraction()),
                policy.number("target_q_fraction", base.targetQFraction()),
                policy.whole("start_step", base.startStep()),
                policy.orNull("end_step", base.endStep(), key -> policy.whole(key, 0)))));
    }

    private static RoundingPhasesConfig roundingPhases(Settings settings) {
        RoundingPhasesConfig base = RoundingPhasesConfig.defaults();
        return settings.build(() -> new RoundingPhasesConfig(
                settings.number("warm_up_fraction", base.warmUpFraction()),
                settings.flag("warm_up_regularization", base.warmUpRegularization()),
                settings.number("hard_fraction", base.hardFraction())));
    }

    private static ErrorCompensationConfig errorCompensation(Settings settings) {
        ErrorCompensationConfig base = ErrorCompensationConfig.defaults();
        return settings.build(() -> new ErrorCompensationConfig(
                settings.whole("num_samples", base.numSamples()), settings.number("damping", base.damping())));
    }

    private static QuantizerParametersOverride quantizerParameters(Settings settings) {
        Settings map = settings.section("max_lsbs_change_map");
        Map<Integer, Integer> changes = new TreeMap<>();
        for (String bits : map.keys()) {
            if (!bits.matches("[0-9]{1,2}")) {
                throw map.refusal(bits, "the key is not a number of bits", "Write for example {4: 2}");
            }
            changes.put(Integer.valueOf(bits), map.whole(bits, 1));
        }
        return settings.build(() ->
                new QuantizerParametersOverride(settings.flag("quantization_parameter_learning", false), changes));
    }
}
