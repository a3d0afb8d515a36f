package dev.gptq.config;

import java.util.List;

import static dev.gptq.config.ConfigKey.ABOVE_ZERO;
import static dev.gptq.config.ConfigKey.FLAG;
import static dev.gptq.config.ConfigKey.FROM_ONE;
import static dev.gptq.config.ConfigKey.example;
import static dev.gptq.config.ConfigKey.key;
import static dev.gptq.config.ConfigKey.section;

/** The keys of the section quantization. */
final class QuantizationKeys {
    private static final String ACTIVATION_BITS = "2 to 8, or 16";
    private static final String ACTIVATION_THRESHOLD_METHODS = "mse, no_clipping, mae, lp or kl";
    private static final String WEIGHT_THRESHOLD_METHODS = "mse, no_clipping, mae, lp, kl or hmse";
    private static final String WEIGHT_THRESHOLD_MEANING =
            "Error the threshold minimises; hmse: squared error weighted by the Hessian, needs gptq.n_epochs above 0";

    static final List<ConfigKey> ALL = List.of(
            section("quantization", "What is quantized and how thresholds are chosen"),
            key(
                    "quantization.preset",
                    String.join(", ", QuantizationConfig.PRESETS),
                    "Target whose values fill the rest of this section: onnxruntime has uniform, imx500 power_of_two, "
                            + "tensorrt signed symmetric activations"),
            key("quantization.bias_correction", FLAG, "Biases absorb the mean error of rounding before training"),
            key(
                    "quantization.opset",
                    "13 to 23",
                    "Lowest ONNX opset of the exported models; from 21 on kernels of 2 to 4 bits take half a byte per weight"),
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
            key(
                    "quantization.weights.embedding_bits",
                    "2 to 8, or null",
                    "Bits of tables that a Gather reads rows of; null: they stay in float. quantization.layers wins"),
            section("quantization.activations", "Activations, one threshold per tensor"),
            key(
                    "quantization.activations.bits",
                    ACTIVATION_BITS,
                    "Bits of an activation; ONNX Runtime runs operators between 16 bits in float"),
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
            key("quantization.layers.activations.bits", ACTIVATION_BITS, "Bits of an activation"),
            key("quantization.layers.activations.method", "uniform, symmetric or power_of_two", "Form of the grid"),
            key(
                    "quantization.layers.activations.threshold_method",
                    ACTIVATION_THRESHOLD_METHODS,
                    "Error the threshold minimises"),
            section(
                    "quantization.mixed_precision",
                    "Bits chosen layer by layer, so that the model's outputs change least within a budget; null: bits as set "
                            + "above. Bits that quantization.layers sets stay"),
            example(
                    "quantization.mixed_precision.budget",
                    "",
                    "Limits, at least one, which all hold at once; null: none",
                    "{weights_bits: 4}"),
            example(
                    "quantization.mixed_precision.budget.size",
                    "a whole number from 1 up, or null",
                    "Bytes of all quantized kernels, each weight counted with its bits",
                    "null"),
            example(
                    "quantization.mixed_precision.budget.weights_bits",
                    ABOVE_ZERO + ", or null",
                    "Average bits of a weight",
                    "4"),
            example(
                    "quantization.mixed_precision.budget.activations_bits",
                    ABOVE_ZERO + ", or null",
                    "Average bits of an activation value",
                    "null"),
            example(
                    "quantization.mixed_precision.budget.bit_operations",
                    ABOVE_ZERO + ", or null",
                    "Multiplications x bits of the weight x bits of the activation, as a share of what 8-bit weights and "
                            + "activations need",
                    "null"),
            example(
                    "quantization.mixed_precision.weights_bits",
                    "a list of whole numbers from 2 to 8",
                    "What the bits of a kernel are chosen from",
                    MixedPrecisionConfig.DEFAULT_WEIGHTS_BITS.toString()),
            example(
                    "quantization.mixed_precision.activations_bits",
                    "a list of whole numbers from 2 to 8, and 16",
                    "What the bits of an activation are chosen from, where the budget limits activations_bits or "
                            + "bit_operations",
                    MixedPrecisionConfig.DEFAULT_ACTIVATIONS_BITS.toString()),
            example(
                    "quantization.mixed_precision.sensitivity",
                    "hessian or output_error",
                    "How the effect of a layer's quantization on the outputs is measured: from gradients of the float model, "
                            + "or by running the model with that layer alone quantized",
                    "hessian"),
            example(
                    "quantization.mixed_precision.samples",
                    FROM_ONE,
                    "Calibration samples that it is measured on",
                    String.valueOf(MixedPrecisionConfig.DEFAULT_SAMPLES)),
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
            key(
                    "quantization.preparation.activation_smoothing",
                    FLAG,
                    "Large channels of what linear layers read are divided before they are put on a grid, and the layers' "
                            + "kernels multiplied (SmoothQuant; not in MCT). For transformers on ONNX Runtime; costs a "
                            + "multiplication per activation"));

    private QuantizationKeys() {}
}
