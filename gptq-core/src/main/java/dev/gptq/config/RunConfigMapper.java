package dev.gptq.config;

import java.util.List;

/** Checked keys -> configuration records. What a key does not say comes from the records' own defaults. */
final class RunConfigMapper {
    private static final String AUTO = "auto";

    private RunConfigMapper() {}

    static RunConfig map(Settings root) {
        Settings data = root.section("data");
        DatasetConfig calibration = DatasetReader.read(data.section("calibration"), null);
        DatasetConfig evaluation =
                data.orNull("evaluation", null, key -> DatasetReader.read(data.section(key), calibration));
        QuantizationConfig quantization = quantization(root.section("quantization"));
        GradientPTQConfig gptq = GptqSectionReader.read(root.section("gptq"));
        TrainingConfig training = training(root.section("training"));
        Settings output = root.section("output");
        OutputConfig outputConfig = output.build(() -> new OutputConfig(
                output.text("path", null), output.flag("overwrite", false), output.flag("keep_samples", false)));
        TrackingConfig tracking = root.isNull("tracking") ? TrackingConfig.NONE : tracking(root.section("tracking"));
        return root.build(() -> new RunConfig(
                root.text("model", null),
                calibration,
                evaluation,
                root.constant("recipe", Recipe.class, Recipe.MCT),
                quantization,
                gptq,
                training,
                outputConfig,
                root.wholeLong("seed", 0),
                root.text("device", RunConfig.DEVICES.get(0)),
                root.number("gpus_per_task", RunConfig.WHOLE_GPU),
                root.flag("allow_user_classes", false),
                tracking));
    }

    static QuantizationConfig quantization(Settings settings) {
        QuantizationConfig preset = settings.build(
                () -> QuantizationConfig.ofPreset(settings.text("preset", QuantizationConfig.PRESETS.get(0))));
        Settings w = settings.section("weights");
        QuantizationConfig.Weights weights = w.build(() -> new QuantizationConfig.Weights(
                w.whole("bits", preset.weights().bits()),
                w.constant("method", QuantizationMethod.class, preset.weights().method()),
                w.flag("per_channel", preset.weights().perChannel()),
                w.constant(
                        "threshold_method",
                        ThresholdMethod.class,
                        preset.weights().thresholdMethod()),
                w.number("lp_norm", preset.weights().lpNorm()),
                w.orNull("first_and_last_bits", null, key -> w.whole(key, 0)),
                w.orNull("embedding_bits", preset.weights().embeddingBits(), key -> w.whole(key, 0))));
        Settings a = settings.section("activations");
        QuantizationConfig.Activations activations = a.build(() -> new QuantizationConfig.Activations(
                a.whole("bits", preset.activations().bits()),
                a.constant(
                        "method", QuantizationMethod.class, preset.activations().method()),
                signed(a, preset.activations().signed()),
                a.constant(
                        "threshold_method",
                        ThresholdMethod.class,
                        preset.activations().thresholdMethod()),
                a.number("lp_norm", preset.activations().lpNorm()),
                a.number("z_threshold", preset.activations().zThreshold())));
        List<LayerOverride> layers =
                settings.sections("layers").stream().map(RunConfigMapper::layer).toList();
        MixedPrecisionConfig mixedPrecision =
                settings.orNull("mixed_precision", null, key -> mixedPrecision(settings.section(key)));
        PreparationConfig preparation = preparation(settings.section("preparation"), preset.preparation());
        return settings.build(() -> new QuantizationConfig(
                preset.preset(),
                weights,
                activations,
                layers,
                mixedPrecision,
                preparation,
                settings.flag("bias_correction", preset.biasCorrection()),
                settings.whole("opset", preset.opset())));
    }

    private static MixedPrecisionConfig mixedPrecision(Settings settings) {
        Settings limits = settings.section("budget");
        return settings.build(() -> new MixedPrecisionConfig(
                settings.wholeNumbers("weights_bits", MixedPrecisionConfig.DEFAULT_WEIGHTS_BITS),
                settings.wholeNumbers("activations_bits", MixedPrecisionConfig.DEFAULT_ACTIVATIONS_BITS),
                new MixedPrecisionConfig.Budget(
                        limits.orNull("size", null, key -> limits.wholeLong(key, 0)),
                        limits.orNull("weights_bits", null, key -> limits.number(key, 0)),
                        limits.orNull("activations_bits", null, key -> limits.number(key, 0)),
                        limits.orNull("bit_operations", null, key -> limits.number(key, 0))),
                settings.constant(
                        "sensitivity",
                        MixedPrecisionConfig.Sensitivity.class,
                        MixedPrecisionConfig.Sensitivity.HESSIAN),
                settings.whole("samples", MixedPrecisionConfig.DEFAULT_SAMPLES)));
    }

    private static LayerOverride layer(Settings settings) {
        LayerOverride.Values weights = values(settings.section("weights"));
        LayerOverride.Values activations = values(settings.section("activations"));
        return settings.build(() -> new LayerOverride(
                settings.text("name", null),
                weights,
                activations,
                settings.has("skip") ? Boolean.valueOf(settings.flag("skip", false)) : null));
    }

    private static LayerOverride.Values values(Settings settings) {
        return new LayerOverride.Values(
                settings.has("bits") ? Integer.valueOf(settings.whole("bits", 0)) : null,
                settings.constant("method", QuantizationMethod.class, null),
                settings.constant("threshold_method", ThresholdMethod.class, null));
    }

    private static PreparationConfig preparation(Settings settings, PreparationConfig base) {
        return settings.build(() -> base.toBuilder()
                .optBatchNormFolding(settings.flag("batch_norm_folding", base.batchNormFolding()))
                .optBatchNormForwardFolding(settings.flag("batch_norm_forward_folding", base.batchNormForwardFolding()))
                .optLinearCollapsing(settings.flag("linear_collapsing", base.linearCollapsing()))
                .optResidualCollapsing(settings.flag("residual_collapsing", base.residualCollapsing()))
                .optReluBoundToPowerOfTwo(settings.flag("relu_bound_to_power_of_2", base.reluBoundToPowerOfTwo()))
                .optShiftNegativeActivationCorrection(
                        settings.flag("shift_negative_activation_correction", base.shiftNegativeActivationCorrection()))
                .optShiftNegativeRatio(settings.number("shift_negative_ratio", base.shiftNegativeRatio()))
                .optShiftNegativeParamsSearch(
                        settings.flag("shift_negative_params_search", base.shiftNegativeParamsSearch()))
                .optConcatThresholdUpdate(settings.flag("concat_threshold_update", base.concatThresholdUpdate()))
                .optSoftmaxShift(settings.flag("softmax_shift", base.softmaxShift()))
                .optWeightsSecondMomentCorrection(
                        settings.flag("weights_second_moment_correction", base.weightsSecondMomentCorrection()))
                .optActivationSmoothing(settings.flag("activation_smoothing", base.activationSmoothing()))
                .build());
    }

    private static Boolean signed(Settings activations, Boolean fallback) {
        if (!activations.has("signed")) {
            return fallback;
        }
        boolean auto = activations.isNull("signed") || activations.isText("signed", AUTO);
        return auto ? null : Boolean.valueOf(activations.flag("signed", false));
    }

    private static TrackingConfig tracking(Settings settings) {
        String path = settings.orNull("tensorboard", null, key -> textOrNull(settings.section(key), "path"));
        String uri = settings.orNull("mlflow", null, key -> textOrNull(settings.section(key), "uri"));
        String ownExperiment = settings.orNull("mlflow", null, key -> textOrNull(settings.section(key), "experiment"));
        String experiment = ownExperiment == null ? TrackingConfig.NONE.mlflowExperiment() : ownExperiment;
        return settings.build(() -> new TrackingConfig(path, uri, experiment));
    }

    private static String textOrNull(Settings settings, String key) {
        return settings.orNull(key, null, present -> settings.text(present, null));
    }

    static TrainingConfig training(Settings settings) {
        TrainingConfig base = TrainingConfig.defaults();
        return settings.build(() -> new TrainingConfig(
                settings.whole("batch_size", base.batchSize()),
                settings.whole("lanes", base.lanes()),
                settings.orNull("shuffle", base.shuffle(), key -> settings.flag(key, false)),
                settings.whole("checkpoint_interval", base.checkpointInterval()),
                settings.whole("checkpoints_kept", base.checkpointsKept()),
                settings.text("exchange", base.exchange()),
                settings.whole("exchange_timeout", base.exchangeTimeout()),
                settings.orNull("divergence_factor", base.divergenceFactor(), key -> settings.number(key, 0))));
    }
}
