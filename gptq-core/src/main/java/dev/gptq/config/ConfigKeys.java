package dev.gptq.config;

import dev.gptq.GptqException;
import java.util.List;
import java.util.Map;

/** Every key a configuration may have: the one table behind checks, messages and the commented defaults. */
final class ConfigKeys {
    private static final String TEXT_OR_NULL = "text or null";
    private static final String FLAG = "true or false";
    private static final String ABOVE_ZERO = "a number above 0";
    private static final String FROM_ZERO = "a number from 0 up";
    private static final String FROM_ONE = "a whole number from 1 up";
    private static final String ACTIVATION_THRESHOLD_METHODS = "mse, no_clipping, mae, lp or kl";
    private static final String WEIGHT_THRESHOLD_METHODS = "mse, no_clipping, mae, lp, kl or hmse";
    private static final String WEIGHT_THRESHOLD_MEANING =
            "Error the threshold minimises; hmse: squared error weighted by the Hessian, needs gptq.n_epochs above 0";

    /** Sections that have the keys of another one. */
    private static final Map<String, String> SAME_KEYS = Map.of(
            "data.evaluation", "data.calibration",
            "gptq.optimizer_rest", "gptq.optimizer",
            "gptq.optimizer_bias", "gptq.optimizer",
            "gptq.optimizer_quantization_parameter", "gptq.optimizer");

    static final List<ConfigKey> ALL = List.of(
            key("model", "a path", "The float ONNX model. Required"),
            section("data", "The datasets"),
            section("data.calibration", "The representative dataset; needs no labels. Required"),
            key("data.calibration.path", "a path", "Parquet file or directory, or .npz file. Required"),
            key("data.calibration.format", "parquet, npz or null", "Null: taken from the path's suffix"),
            section(
                    "data.calibration.inputs",
                    "For each model input by name: where its values come from, value = (raw * scale - mean) / std. "
                            + "Required for calibration; evaluation takes calibration's by default"),
            section("data.calibration.inputs.*", "The name of a model input"),
            key("data.calibration.inputs.*.column", "text", "Column or npz array. Default: the input's name"),
            key(
                    "data.calibration.inputs.*.type",
                    String.join(", ", InputMapping.TYPES) + " or null",
                    "Element type of a binary column; null for numbers and arrays"),
            key(
                    "data.calibration.inputs.*.shape",
                    "a list of whole numbers from 1 up, or null",
                    "Shape of one sample without the batch dimension; null: taken from the model"),
            key("data.calibration.inputs.*.scale", "a number other than 0", "Factor of the raw value"),
            key("data.calibration.inputs.*.mean", "a number, or a list with one per channel", "Subtracted after scale"),
            key("data.calibration.inputs.*.std", "a number, or a list with one per channel", "Divides after mean"),
            key("data.calibration.label", TEXT_OR_NULL, "Column of class labels; evaluation needs it for top-1"),
            key("data.calibration.id", TEXT_OR_NULL, "Column of stable sample ids; null: ids follow from the content"),
            key("data.calibration.limit", FROM_ONE + ", or null", "Samples taken; null: all"),
            section("data.evaluation", "Data to measure on, or null for none. Keys as in data.calibration"),
            key(
                    "recipe",
                    "mct or accurate",
                    "Values of the keys left out: those of Model Compression Toolkit, or more accurate ones at few bits; see "
                            + "gptq-core/RECIPES.md"),
            section("quantization", "What is quantized and how thresholds are chosen"),
            key(
                    "quantization.preset",
                    String.join(", ", QuantizationConfig.PRESETS),
                    "Target whose values fill the rest of this section: onnxruntime has uniform, imx500 power_of_two, "
                            + "tensorrt signed symmetric activations"),
            key("quantization.bias_correction", FLAG, "Biases absorb the mean error of rounding before training"),
            key("quantization.opset", "13 to 23", "Lowest ONNX opset of the exported models"),
            section("quantization.weights", "Kernels"),
            key("quantization.weights.bits", "2 to 8", "Bits of a weight"),
            key("quantization.weights.method", "symmetric, power_of_two or uniform", "Form of the grid"),
            key("quantization.weights.per_channel", FLAG, "One threshold per output channel instead of one per kernel"),
            key("quantization.weights.threshold_method", WEIGHT_THRESHOLD_METHODS, WEIGHT_THRESHOLD_MEANING),
            key("quantization.weights.lp_norm", ABOVE_ZERO, "The p of lp"),
            key(
                    "quantization.weights.first_and_last_bits",
                    "2 to 8, or null",
                    "Bits of the first and the last layer, which often need more; null: as all others. "
                            + "quantization.layers wins"),
            section("quantization.activations", "Activations, one threshold per tensor"),
            key("quantization.activations.bits", "8", "Bits of an activation"),
            key("quantization.activations.method", "uniform, symmetric or power_of_two", "Form of the grid"),
            key(
                    "quantization.activations.signed",
                    "auto, true or false",
                    "Negative half of symmetric grids; auto: if data has any"),
            key(
                    "quantization.activations.threshold_method",
                    ACTIVATION_THRESHOLD_METHODS,
                    "Error the threshold minimises"),
            key("quantization.activations.lp_norm", ABOVE_ZERO, "The p of lp"),
            key(
                    "quantization.activations.z_threshold",
                    ABOVE_ZERO + " or .inf",
                    "Standard deviations beyond which values do not count"),
            section(
                    "quantization.layers",
                    "Settings of single layers, a list; where two entries set the same thing of a layer, the later one wins"),
            example(
                    "quantization.layers.name",
                    "a name or pattern",
                    "Name of a node or model input; * stands for any characters, ? for one. Has to match a layer. Required",
                    "'conv*'"),
            example("quantization.layers.skip", FLAG, "Whether the kernel stays in float and untrained", "false"),
            example(
                    "quantization.layers.weights",
                    "",
                    "Of the layer's kernel; keys left out: as for the model",
                    "{bits: 4}"),
            key("quantization.layers.weights.bits", "2 to 8", "Bits of a weight"),
            key("quantization.layers.weights.method", "symmetric, power_of_two or uniform", "Form of the grid"),
            key("quantization.layers.weights.threshold_method", WEIGHT_THRESHOLD_METHODS, WEIGHT_THRESHOLD_MEANING),
            example(
                    "quantization.layers.activations",
                    "",
                    "Of the layer's output, after its activation function; keys left out: as for the model",
                    "{method: symmetric}"),
            key("quantization.layers.activations.bits", "2 to 8", "Bits of an activation"),
            key("quantization.layers.activations.method", "uniform, symmetric or power_of_two", "Form of the grid"),
            key(
                    "quantization.layers.activations.threshold_method",
                    ACTIVATION_THRESHOLD_METHODS,
                    "Error the threshold minimises"),
            section("quantization.preparation", "What is done to the float graph first, with MCT's names and defaults"),
            key(
                    "quantization.preparation.batch_norm_folding",
                    FLAG,
                    "BatchNormalization goes into the layer before it"),
            key(
                    "quantization.preparation.batch_norm_forward_folding",
                    FLAG,
                    "BatchNormalization, or a 1x1 depthwise convolution, goes into the 1x1 convolution behind it"),
            key(
                    "quantization.preparation.linear_collapsing",
                    FLAG,
                    "A convolution and the 1x1 convolution behind it become one"),
            key(
                    "quantization.preparation.residual_collapsing",
                    FLAG,
                    "A convolution and the addition of its own input become one convolution; may cost accuracy below 8 bits"),
            key(
                    "quantization.preparation.relu_bound_to_power_of_2",
                    FLAG,
                    "Upper bounds of ReLU6-like activations are scaled to a power of two"),
            key(
                    "quantization.preparation.shift_negative_activation_correction",
                    FLAG,
                    "Small negative parts of activations are shifted away, so that unsigned grids hold them"),
            key(
                    "quantization.preparation.shift_negative_ratio",
                    "a number above 0, at most 1",
                    "Largest |minimum| / threshold that counts as small"),
            key(
                    "quantization.preparation.shift_negative_params_search",
                    FLAG,
                    "Threshold and shift are searched together"),
            key(
                    "quantization.preparation.concat_threshold_update",
                    FLAG,
                    "Inputs of a concatenation get its threshold"),
            key(
                    "quantization.preparation.softmax_shift",
                    FLAG,
                    "Inputs of Softmax are centred through the bias of the layer before"),
            key(
                    "quantization.preparation.weights_second_moment_correction",
                    FLAG,
                    "Kernels and biases are scaled so that rounding keeps mean and variance of folded BatchNormalizations"),
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
                    "One weight per sample and layer (sample-layer attention) instead of one per layer. Default: true, but false with loss multiple_tensors_mse"),
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
                    "Steps for kernels with this many bits"),
            section("training", "The data-parallel loop"),
            key("training.batch_size", FROM_ONE, "Samples per step"),
            key(
                    "training.lanes",
                    "a power of two that divides batch_size",
                    "Parts of a batch whose gradients are computed in parallel; part of the result's identity"),
            key(
                    "training.shuffle",
                    FLAG + ", or null",
                    "Whether each epoch has an order of its own; null: with sample-layer attention only"),
            key("training.checkpoint_interval", FROM_ONE, "Steps between two checkpoints"),
            key("training.checkpoints_kept", FROM_ONE, "Newest checkpoints that stay"),
            key(
                    "training.exchange",
                    String.join(", ", TrainingConfig.EXCHANGES),
                    "How gradients meet; the result is the same. job: one Spark job per step; barrier: tasks that live "
                            + "from checkpoint to checkpoint and exchange gradients directly, for static allocation; "
                            + "auto: barrier where it can be"),
            key(
                    "training.exchange_timeout",
                    FROM_ONE,
                    "Seconds that an executor waits for another one in a step of the barrier exchange"),
            section("output", "The run directory"),
            key("output.path", "a path", "Where everything is written. Required"),
            key("output.overwrite", FLAG, "Whether the results of another run there may be replaced"),
            key(
                    "output.keep_samples",
                    FLAG,
                    "Whether the decoded samples stay in the run directory when the run is complete"),
            key("seed", "a whole number", "Of every random choice"),
            key("device", String.join(", ", RunConfig.DEVICES), "auto: the GPUs that Spark assigned, or the CPU"),
            key(
                    "gpus_per_task",
                    "a number above 0, at most 1",
                    "GPUs that a task of calibration, Hessian scoring or training asks for; 0.5: two tasks share one"),
            key("allow_user_classes", FLAG, "Whether loss and log_function may name classes of your own"));

    private ConfigKeys() {}

    /** The keys a section may have, in order; empty when {@code path} is no section. User's names are '*' in paths. */
    static List<ConfigKey> children(String path) {
        String canonical = canonical(path);
        return ALL.stream().filter(key -> key.parent().equals(canonical)).toList();
    }

    /** The key at a path, or null. */
    static ConfigKey at(String path) {
        String canonical = ALL.stream().anyMatch(key -> key.path().equals(path)) ? path : canonical(path);
        return ALL.stream()
                .filter(key -> key.path().equals(canonical))
                .findFirst()
                .orElse(null);
    }

    /** The path of {@code name} in the section at {@code path}: '*' where the section takes any name. */
    static String child(String path, String name) {
        List<ConfigKey> children = children(path);
        boolean anyName = children.size() == 1 && children.get(0).name().equals("*");
        return join(path, anyName ? "*" : name);
    }

    static String join(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    /** Whether the section's keys are explained elsewhere. */
    static boolean isAlias(String path) {
        return SAME_KEYS.containsKey(path);
    }

    /** @throws GptqException BAD_INPUT naming path, place and the nearest known key of the first unknown one */
    static void checkKnown(ConfigNode.Mapping root) {
        checkKnown(root, "", "");
    }

    private static void checkKnown(ConfigNode.Mapping mapping, String shownPath, String path) {
        List<String> known = children(path).stream().map(ConfigKey::name).toList();
        for (Map.Entry<String, ConfigNode> entry : mapping.entries().entrySet()) {
            String name = entry.getKey();
            String shownChild = join(shownPath, name);
            if (!known.contains("*") && !known.contains(name)) {
                throw GptqException.badInput(
                        "Cannot use key %s (%s): it is unknown%s. %s has the keys %s.",
                        shownChild,
                        entry.getValue().place(),
                        NearestName.hint(name, known),
                        path.isEmpty() ? "A configuration" : shownPath,
                        String.join(", ", known));
            }
            String child = child(path, name);
            if (children(child).isEmpty()) {
                continue;
            }
            if (entry.getValue() instanceof ConfigNode.Mapping section) {
                checkKnown(section, shownChild, child);
            } else if (entry.getValue() instanceof ConfigNode.Sequence sequence) {
                for (int i = 0; i < sequence.items().size(); i++) {
                    if (sequence.items().get(i) instanceof ConfigNode.Mapping section) {
                        checkKnown(section, shownChild + "[" + i + "]", child);
                    }
                }
            }
        }
    }

    private static String canonical(String path) {
        for (Map.Entry<String, String> same : SAME_KEYS.entrySet()) {
            if (path.equals(same.getKey()) || path.startsWith(same.getKey() + ".")) {
                return same.getValue() + path.substring(same.getKey().length());
            }
        }
        return path;
    }

    private static ConfigKey key(String path, String allowed, String meaning) {
        return new ConfigKey(path, allowed, meaning, null);
    }

    private static ConfigKey example(String path, String allowed, String meaning, String shown) {
        return new ConfigKey(path, allowed, meaning, shown);
    }

    private static ConfigKey section(String path, String meaning) {
        return new ConfigKey(path, "", meaning, null);
    }
}
