package dev.gptq.config;

import java.util.List;

import static dev.gptq.config.ConfigKey.ABOVE_ZERO;
import static dev.gptq.config.ConfigKey.FLAG;
import static dev.gptq.config.ConfigKey.FROM_ONE;
import static dev.gptq.config.ConfigKey.FROM_ZERO;
import static dev.gptq.config.ConfigKey.example;
import static dev.gptq.config.ConfigKey.key;
import static dev.gptq.config.ConfigKey.section;

/** The keys of the section gptq. */
final class GptqKeys {
    static final List<ConfigKey> ALL = List.of(
            section("gptq", "Gradient-based learning of rounding, with the names of MCT's GradientPTQConfig"),
            key(
                    "gptq.n_epochs",
                    "a whole number from 0 up",
                    "Passes over the calibration data; 0: plain post-training quantization. Required"),
            key(
                    "gptq.loss",
                    String.join(", ", GradientPTQConfig.LOSSES) + ", or the full name of a class",
                    "Distillation loss. Default: sample_layer_attention when hessian_weights_config.per_sample, else "
                            + "multiple_tensors_mse"),
            section(
                    "gptq.optimizer",
                    "Of the rounding variables. With another type than the default's, keys left out have torch's defaults"),
            key("gptq.optimizer.type", "Adam, AdamW, RAdam, SGD or RMSprop", "Update rule"),
            key("gptq.optimizer.learning_rate", ABOVE_ZERO, "Learning rate"),
            key("gptq.optimizer.betas", "two numbers in [0, 1)", "Adam, AdamW, RAdam: moment decays"),
            key("gptq.optimizer.epsilon", ABOVE_ZERO, "Adam, AdamW, RAdam, RMSprop: added to denominators"),
            key("gptq.optimizer.weight_decay", FROM_ZERO, "Weight decay"),
            example("gptq.optimizer.momentum", FROM_ZERO, "SGD, RMSprop: momentum", "0.0"),
            example("gptq.optimizer.nesterov", FLAG, "SGD with momentum: Nesterov's step", "false"),
            example("gptq.optimizer.alpha", "a number in [0, 1)", "RMSprop: smoothing factor", "0.99"),
            section("gptq.optimizer.schedule", "How the learning rate moves over the run's steps"),
            key("gptq.optimizer.schedule.type", "constant, cosine or step", "Form"),
            example("gptq.optimizer.schedule.minimum_factor", "0 to 1", "cosine: factor at the last step", "0.0"),
            example(
                    "gptq.optimizer.schedule.step_size",
                    FROM_ONE,
                    "step: steps between two reductions. Required for step",
                    "1000"),
            example("gptq.optimizer.schedule.gamma", "a number in (0, 1]", "step: factor of each reduction", "0.1"),
            section(
                    "gptq.optimizer_rest",
                    "Of everything without an optimizer of its own, or null. Keys as in gptq.optimizer"),
            key("gptq.train_bias", FLAG, "Whether biases are trained"),
            section("gptq.hessian_weights_config", "Hessian scores as loss weights; null: all layers weigh the same"),
            key(
                    "gptq.hessian_weights_config.per_sample",
                    FLAG,
                    "One weight per sample and layer (sample-layer attention) instead of one per layer. Default: true, but "
                            + "false with loss multiple_tensors_mse"),
            key(
                    "gptq.hessian_weights_config.hessians_num_samples",
                    FROM_ONE + ", or null",
                    "Samples scored; null: all. Default: null with per_sample, else 32"),
            key(
                    "gptq.hessian_weights_config.norm_scores",
                    "true, false or null",
                    "Scores of one sample sum to one; null: true unless per_sample"),
            key(
                    "gptq.hessian_weights_config.log_norm",
                    "true, false or null",
                    "Logarithm of the scores; null: true unless per_sample"),
            key("gptq.hessian_weights_config.scale_log_norm", FLAG, "Log scores scaled to [0, 1]; not with per_sample"),
            key("gptq.hessian_weights_config.hessian_batch_size", FROM_ONE, "Samples of one scoring batch"),
            section(
                    "gptq.gradual_activation_quantization_config",
                    "Activations are quantized gradually; null: fully from the first step"),
            section(
                    "gptq.gradual_activation_quantization_config.q_fraction_scheduler_policy",
                    "Linear growth of the quantized fraction"),
            key(
                    "gptq.gradual_activation_quantization_config.q_fraction_scheduler_policy.initial_q_fraction",
                    "a number in [0, 1)",
                    "Fraction at start_step"),
            key(
                    "gptq.gradual_activation_quantization_config.q_fraction_scheduler_policy.target_q_fraction",
                    "a number above initial_q_fraction, at most 1",
                    "Fraction at end_step"),
            key(
                    "gptq.gradual_activation_quantization_config.q_fraction_scheduler_policy.start_step",
                    "a whole number from 0 up",
                    "First step of the growth"),
            key(
                    "gptq.gradual_activation_quantization_config.q_fraction_scheduler_policy.end_step",
                    "a whole number above start_step, or null",
                    "Last step of the growth; null: the run's last step"),
            key(
                    "gptq.regularization_factor",
                    FROM_ZERO,
                    "Weight of the rounding regularizer. Default: 10 with per_sample, else 0.01"),
            key("gptq.rounding_type", "SoftQuantizer or STE", "How rounding is learned"),
            section("gptq.rounding_phases", "Shares of the run's steps; not in MCT, whose values are the default"),
            key(
                    "gptq.rounding_phases.warm_up_fraction",
                    "a number in [0, 1)",
                    "Share of the steps before the regularizer's exponent falls"),
            key(
                    "gptq.rounding_phases.warm_up_regularization",
                    FLAG,
                    "Whether the regularizer acts in the warm-up, as in MCT; AdaRound, BRECQ and QDrop switch it off"),
            key(
                    "gptq.rounding_phases.hard_fraction",
                    "a number in [0, 1)",
                    "Share of the steps at the end in which roundings are hard and fixed, while biases and learned scales "
                            + "adapt to them"),
            section(
                    "gptq.error_compensation_config",
                    "Rounding with error compensation (OPTQ) before training, which starts from its result; null: training "
                            + "starts from float kernels, as in MCT"),
            example(
                    "gptq.error_compensation_config.num_samples",
                    FROM_ONE,
                    "Samples that second moments of layer inputs are taken over, at most",
                    "1024"),
            example(
                    "gptq.error_compensation_config.damping",
                    ABOVE_ZERO,
                    "Share of the mean second moment added to each input's",
                    "0.01"),
            section(
                    "gptq.optimizer_quantization_parameter",
                    "Of learned scales; null: optimizer_rest. Keys as in gptq.optimizer"),
            section("gptq.optimizer_bias", "Of biases; null: optimizer_rest. Keys as in gptq.optimizer"),
            key(
                    "gptq.log_function",
                    "the full name of a class, or null",
                    "Called after every step; needs allow_user_classes"),
            section("gptq.gptq_quantizer_params_override", "Further settings of the trained quantizers"),
            key(
                    "gptq.gptq_quantizer_params_override.quantization_parameter_learning",
                    FLAG,
                    "Whether scales are learned too"),
            section(
                    "gptq.gptq_quantizer_params_override.max_lsbs_change_map",
                    "STE: bits of a kernel -> quantization steps a weight may move by; 1 where absent, as in {4: 2}"),
            key(
                    "gptq.gptq_quantizer_params_override.max_lsbs_change_map.*",
                    FROM_ONE,
                    "Steps for kernels with this many bits"));

    private GptqKeys() {}
}
