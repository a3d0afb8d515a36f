package dev.gptq.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Configuration records -> a tree of keys and values in the order of {@link ConfigKeys}. */
final class RunConfigWriter {
    private RunConfigWriter() {}

    /** Values are nested maps, lists, text, numbers, flags and null. */
    static Map<String, Object> tree(RunConfig config) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("calibration", DatasetWriter.tree(config.calibration()));
        data.put("evaluation", config.evaluation() == null ? null : DatasetWriter.tree(config.evaluation()));
        Map<String, Object> training = new LinkedHashMap<>();
        training.put("batch_size", config.training().batchSize());
        training.put("lanes", config.training().lanes());
        training.put("shuffle", config.training().shuffle());
        training.put("checkpoint_interval", config.training().checkpointInterval());
        training.put("checkpoints_kept", config.training().checkpointsKept());
        training.put("exchange", config.training().exchange());
        training.put("exchange_timeout", config.training().exchangeTimeout());
        training.put("divergence_factor", config.training().divergenceFactor());
        Map<String, Object> output = new LinkedHashMap<>();
        output.put("path", config.output().path());
        output.put("overwrite", config.output().overwrite());
        output.put("keep_samples", config.output().keepSamples());
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("model", config.model());
        root.put("data", data);
        root.put("recipe", config.recipe().toString());
        root.put("quantization", quantization(config.quantization()));
        root.put("gptq", gptq(config.gptq()));
        root.put("training", training);
        root.put("output", output);
        root.put("seed", config.seed());
        root.put("device", config.device());
        root.put("gpus_per_task", config.gpusPerTask());
        root.put("allow_user_classes", config.allowUserClasses());
        root.put("tracking", tracking(config.tracking()));
        return root;
    }

    private static Map<String, Object> tracking(TrackingConfig tracking) {
        Map<String, Object> mlflow = new LinkedHashMap<>();
        mlflow.put("uri", tracking.mlflowUri());
        mlflow.put("experiment", tracking.mlflowExperiment());
        Map<String, Object> tensorboard = new LinkedHashMap<>();
        tensorboard.put("path", tracking.tensorboardPath());
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("tensorboard", tensorboard);
        tree.put("mlflow", mlflow);
        return tree;
    }

    private static Map<String, Object> quantization(QuantizationConfig quantization) {
        QuantizationConfig.Weights w = quantization.weights();
        Map<String, Object> weights = new LinkedHashMap<>();
        weights.put("bits", w.bits());
        weights.put("method", lower(w.method()));
        weights.put("per_channel", w.perChannel());
        weights.put("threshold_method", lower(w.thresholdMethod()));
        weights.put("lp_norm", w.lpNorm());
        weights.put("first_and_last_bits", w.firstAndLastBits());
        weights.put("embedding_bits", w.embeddingBits());
        QuantizationConfig.Activations a = quantization.activations();
        Map<String, Object> activations = new LinkedHashMap<>();
        activations.put("bits", a.bits());
        activations.put("method", lower(a.method()));
        activations.put("signed", a.signed() == null ? "auto" : a.signed());
        activations.put("threshold_method", lower(a.thresholdMethod()));
        activations.put("lp_norm", a.lpNorm());
        activations.put("z_threshold", a.zThreshold());
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("preset", quantization.preset());
        tree.put("bias_correction", quantization.biasCorrection());
        tree.put("opset", quantization.opset());
        tree.put("weights", weights);
        tree.put("activations", activations);
        tree.put(
                "layers",
                quantization.layers().stream().map(RunConfigWriter::layer).toList());
        tree.put("mixed_precision", mixedPrecision(quantization.mixedPrecision()));
        tree.put("preparation", preparation(quantization.preparation()));
        return tree;
    }

    private static Map<String, Object> mixedPrecision(MixedPrecisionConfig mixed) {
        if (mixed == null) {
            return null;
        }
        Map<String, Object> budget = new LinkedHashMap<>();
        budget.put("size", mixed.budget().size());
        budget.put("weights_bits", mixed.budget().weightsBits());
        budget.put("activations_bits", mixed.budget().activationsBits());
        budget.put("bit_operations", mixed.budget().bitOperations());
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("budget", budget);
        tree.put("weights_bits", mixed.weightsBits());
        tree.put("activations_bits", mixed.activationsBits());
        tree.put("sensitivity", lower(mixed.sensitivity()));
        tree.put("samples", mixed.samples());
        return tree;
    }

    static Map<String, Object> layer(LayerOverride override) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("name", override.name());
        if (override.skip() != null) {
            tree.put("skip", override.skip());
        }
        tree.put("weights", values(override.weights()));
        tree.put("activations", values(override.activations()));
        return tree;
    }

    private static Map<String, Object> values(LayerOverride.Values values) {
        Map<String, Object> tree = new LinkedHashMap<>();
        if (values.bits() != null) {
            tree.put("bits", values.bits());
        }
        if (values.method() != null) {
            tree.put("method", lower(values.method()));
        }
        if (values.thresholdMethod() != null) {
            tree.put("threshold_method", lower(values.thresholdMethod()));
        }
        return tree;
    }

    private static Map<String, Object> preparation(PreparationConfig preparation) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("batch_norm_folding", preparation.batchNormFolding());
        tree.put("batch_norm_forward_folding", preparation.batchNormForwardFolding());
        tree.put("linear_collapsing", preparation.linearCollapsing());
        tree.put("residual_collapsing", preparation.residualCollapsing());
        tree.put("relu_bound_to_power_of_2", preparation.reluBoundToPowerOfTwo());
        tree.put("shift_negative_activation_correction", preparation.shiftNegativeActivationCorrection());
        tree.put("shift_negative_ratio", preparation.shiftNegativeRatio());
        tree.put("shift_negative_params_search", preparation.shiftNegativeParamsSearch());
        tree.put("concat_threshold_update", preparation.concatThresholdUpdate());
        tree.put("softmax_shift", preparation.softmaxShift());
        tree.put("weights_second_moment_correction", preparation.weightsSecondMomentCorrection());
        tree.put("activation_smoothing", preparation.activationSmoothing());
        return tree;
    }

    private static Map<String, Object> gptq(GradientPTQConfig gptq) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("n_epochs", gptq.nEpochs());
        tree.put("loss", gptq.loss());
        tree.put("optimizer", optimizer(gptq.optimizer()));
        tree.put("optimizer_rest", optimizer(gptq.optimizerRest()));
        tree.put("train_bias", gptq.trainBias());
        tree.put("hessian_weights_config", hessianWeights(gptq.hessianWeightsConfig()));
        tree.put("gradual_activation_quantization_config", gradual(gptq.gradualActivationQuantizationConfig()));
        tree.put("regularization_factor", gptq.regularizationFactor());
        tree.put("rounding_type", gptq.roundingType().name());
        Map<String, Object> phases = new LinkedHashMap<>();
        phases.put("warm_up_fraction", gptq.roundingPhases().warmUpFraction());
        phases.put("warm_up_regularization", gptq.roundingPhases().warmUpRegularization());
        phases.put("hard_fraction", gptq.roundingPhases().hardFraction());
        tree.put("rounding_phases", phases);
        tree.put("error_compensation_config", errorCompensation(gptq.errorCompensationConfig()));
        tree.put("optimizer_quantization_parameter", optimizer(gptq.optimizerQuantizationParameter()));
        tree.put("optimizer_bias", optimizer(gptq.optimizerBias()));
        tree.put("log_function", gptq.logFunction());
        Map<String, Object> changes = new LinkedHashMap<>();
        gptq.quantizerParametersOverride()
                .maxLsbsChangeMap()
                .forEach((bits, steps) -> changes.put(bits.toString(), steps));
        Map<String, Object> override = new LinkedHashMap<>();
        override.put(
                "quantization_parameter_learning",
                gptq.quantizerParametersOverride().quantizationParameterLearning());
        override.put("max_lsbs_change_map", changes);
        tree.put("gptq_quantizer_params_override", override);
        return tree;
    }

    private static Map<String, Object> optimizer(OptimizerConfig optimizer) {
        if (optimizer == null) {
            return null;
        }
        OptimizerConfig.Type type = optimizer.type();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("type", type.torchName());
        tree.put("learning_rate", optimizer.learningRate());
        if (type.isAdamFamily()) {
            tree.put("betas", List.of(optimizer.beta1(), optimizer.beta2()));
        }
        if (type != OptimizerConfig.Type.SGD) {
            tree.put("epsilon", optimizer.epsilon());
        }
        tree.put("weight_decay", optimizer.weightDecay());
        if (!type.isAdamFamily()) {
            tree.put("momentum", optimizer.momentum());
        }
        if (type == OptimizerConfig.Type.SGD) {
            tree.put("nesterov", optimizer.nesterov());
        }
        if (type == OptimizerConfig.Type.RMSPROP) {
            tree.put("alpha", optimizer.beta2());
        }
        tree.put("schedule", schedule(optimizer.schedule()));
        return tree;
    }

    private static Map<String, Object> schedule(LearningRateSchedule schedule) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("type", lower(schedule.type()));
        if (schedule.type() == LearningRateSchedule.Type.COSINE) {
            tree.put("minimum_factor", schedule.minimumFactor());
        }
        if (schedule.type() == LearningRateSchedule.Type.STEP) {
            tree.put("step_size", schedule.stepSize());
            tree.put("gamma", schedule.gamma());
        }
        return tree;
    }

    private static Map<String, Object> hessianWeights(GPTQHessianScoresConfig hessian) {
        if (hessian == null) {
            return null;
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("per_sample", hessian.perSample());
        tree.put("hessians_num_samples", hessian.hessiansNumSamples());
        tree.put("norm_scores", hessian.normScores());
        tree.put("log_norm", hessian.logNorm());
        tree.put("scale_log_norm", hessian.scaleLogNorm());
        tree.put("hessian_batch_size", hessian.hessianBatchSize());
        return tree;
    }

    private static Map<String, Object> errorCompensation(ErrorCompensationConfig compensation) {
        if (compensation == null) {
            return null;
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("num_samples", compensation.numSamples());
        tree.put("damping", compensation.damping());
        return tree;
    }

    private static Map<String, Object> gradual(GradualActivationQuantizationConfig gradual) {
        if (gradual == null) {
            return null;
        }
        QFractionLinearAnnealingConfig policy = gradual.qFractionSchedulerPolicy();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("initial_q_fraction", policy.initialQFraction());
        tree.put("target_q_fraction", policy.targetQFraction());
        tree.put("start_step", policy.startStep());
        tree.put("end_step", policy.endStep());
        Map<String, Object> outer = new LinkedHashMap<>();
        outer.put("q_fraction_scheduler_policy", tree);
        return outer;
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
