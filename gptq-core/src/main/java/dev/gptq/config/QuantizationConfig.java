package dev.gptq.config;

import java.io.Serializable;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/**
 * What is quantized and how thresholds are chosen; presets fill it.
 *
 * @param preset the preset this started from: onnxruntime, imx500 or tensorrt
 * @param preparation what is done to the float graph first
 * @param layers settings of single layers; see {@link LayerOverride} for which wins
 * @param mixedPrecision null: every layer has the bits that the settings above give it
 * @param biasCorrection whether biases absorb the mean error of rounding before training
 * @param opset lowest ONNX opset of the exported models; a model above it keeps its own
 */
public record QuantizationConfig(
        String preset,
        Weights weights,
        Activations activations,
        List<LayerOverride> layers,
        MixedPrecisionConfig mixedPrecision,
        PreparationConfig preparation,
        boolean biasCorrection,
        int opset)
        implements Serializable {
    /** Names of the presets, the default first. */
    public static final List<String> PRESETS = List.of("onnxruntime", "imx500", "tensorrt");

    static final int MINIMUM_BITS = 2;
    static final int MAXIMUM_BITS = 8;
    static final int WIDE_BITS = 16;
    /** Per-channel DequantizeLinear starts at 13; ONNX Runtime 1.23 knows opsets up to 23. */
    private static final int MINIMUM_OPSET = 13;

    private static final int MAXIMUM_OPSET = 23;
    private static final double DEFAULT_LP_NORM = 2;

    /**
     * Kernels.
     *
     * @param bits 2 to 8
     * @param perChannel one threshold per output channel instead of one per kernel
     * @param lpNorm the p of LP, above 0
     * @param firstAndLastBits bits of the first and the last layer with a kernel, in topological order; null: {@code bits}
     * @param embeddingBits bits of embedding tables; null: they stay in float
     */
    public record Weights(
            int bits,
            QuantizationMethod method,
            boolean perChannel,
            ThresholdMethod thresholdMethod,
            double lpNorm,
            Integer firstAndLastBits,
            Integer embeddingBits)
            implements Serializable {
        public Weights {
            Check.between(bits, MINIMUM_BITS, MAXIMUM_BITS, "bits");
            Check.given(method, "method", "Use symmetric, power_of_two or uniform");
            Check.given(thresholdMethod, "threshold_method", "Use mse, no_clipping, mae, lp, kl or hmse");
            Check.positive(lpNorm, "lp_norm");
            if (firstAndLastBits != null) {
                Check.between(firstAndLastBits, MINIMUM_BITS, MAXIMUM_BITS, "first_and_last_bits");
            }
            if (embeddingBits != null) {
                Check.between(embeddingBits, MINIMUM_BITS, MAXIMUM_BITS, "embedding_bits");
            }
        }

        /** With the same bits in all layers. */
        public Weights(
                int bits,
                QuantizationMethod method,
                boolean perChannel,
                ThresholdMethod thresholdMethod,
                double lpNorm) {
            this(bits, method, perChannel, thresholdMethod, lpNorm, null);
        }

        /** With embedding tables of 8 bits. */
        public Weights(
                int bits,
                QuantizationMethod method,
                boolean perChannel,
                ThresholdMethod thresholdMethod,
                double lpNorm,
                Integer firstAndLastBits) {
            this(bits, method, perChannel, thresholdMethod, lpNorm, firstAndLastBits, MAXIMUM_BITS);
        }

        private Weights withBits(Integer other) {
            return other == null
                    ? this
                    : new Weights(other, method, perChannel, thresholdMethod, lpNorm, firstAndLastBits, embeddingBits);
        }
    }

    /**
     * Activations, per tensor.
     *
     * @param bits 2 to 8, or 16
     * @param signed whether the symmetric grid has negative values; null: decided by the data (any negative value)
     * @param lpNorm the p of LP, above 0
     * @param zThreshold values more than this many standard deviations from the mean do not count; infinity: all count
     */
    public record Activations(
            int bits,
            QuantizationMethod method,
            Boolean signed,
            ThresholdMethod thresholdMethod,
            double lpNorm,
            double zThreshold)
            implements Serializable {
        public Activations {
            Check.that(
                    isActivationBits(bits), "bits", bits, "activations have 2 to 8 bits, or 16", "Use 2 to 8, or 16");
            Check.given(method, "method", "Use uniform, symmetric or power_of_two");
            Check.given(thresholdMethod, "threshold_method", "Use mse, no_clipping, mae, lp or kl");
            Check.that(
                    thresholdMethod != ThresholdMethod.HMSE,
                    "threshold_method",
                    "hmse",
                    "it weighs errors by the Hessian of kernels, which activations do not have",
                    "Use mse, no_clipping, mae, lp or kl");
            Check.positive(lpNorm, "lp_norm");
            Check.that(zThreshold > 0, "z_threshold", zThreshold, "it is not above 0", "Use .inf to keep all values");
        }
    }

    public QuantizationConfig {
        checkPreset(preset);
        Check.given(weights, "weights", "Remove the key to take the preset's");
        Check.given(activations, "activations", "Remove the key to take the preset's");
        Check.given(layers, "layers", "Remove the key to treat all layers alike");
        layers = List.copyOf(layers);
        for (int i = 0; i < layers.size(); i++) {
            checkOverride(layers.get(i), "layers[" + i + "]", weights, activations);
        }
        Check.given(preparation, "preparation", "Remove the key for the defaults");
        Check.between(opset, MINIMUM_OPSET, MAXIMUM_OPSET, "opset");
    }

    static boolean isActivationBits(int bits) {
        return bits == WIDE_BITS || bits >= MINIMUM_BITS && bits <= MAXIMUM_BITS;
    }

    /** With the bits that the settings give. */
    public QuantizationConfig(
            String preset,
            Weights weights,
            Activations activations,
            List<LayerOverride> layers,
            PreparationConfig preparation,
            boolean biasCorrection,
            int opset) {
        this(preset, weights, activations, layers, null, preparation, biasCorrection, opset);
    }

    /** The default preset: symmetric int8 weights per channel, uniform uint8 activations. */
    public static QuantizationConfig defaults() {
        return ofPreset(PRESETS.get(0));
    }

    /**
     * The values of a preset. All have 8-bit symmetric weights per channel and 8-bit activations, thresholds by MSE;
     * activations are uniform (onnxruntime), power-of-two with signedness from the data (imx500, MCT's default target)
     * or signed symmetric (tensorrt).
     */
    public static QuantizationConfig ofPreset(String preset) {
        checkPreset(preset);
        Activations activations =
                switch (preset) {
                    case "imx500" -> activations(QuantizationMethod.POWER_OF_TWO, null);
                    case "tensorrt" -> activations(QuantizationMethod.SYMMETRIC, true);
                    default -> activations(QuantizationMethod.UNIFORM, null);
                };
        Weights weights =
                new Weights(MAXIMUM_BITS, QuantizationMethod.SYMMETRIC, true, ThresholdMethod.MSE, DEFAULT_LP_NORM);
        return new QuantizationConfig(
                preset, weights, activations, List.of(), PreparationConfig.defaults(), true, MINIMUM_OPSET);
    }

    /** The same configuration with other kernels. */
    public QuantizationConfig withWeights(Weights other) {
        return new QuantizationConfig(
                preset, other, activations, layers, mixedPrecision, preparation, biasCorrection, opset);
    }

    /** The same configuration with other activations. */
    public QuantizationConfig withActivations(Activations other) {
        return new QuantizationConfig(
                preset, weights, other, layers, mixedPrecision, preparation, biasCorrection, opset);
    }

    /** The same configuration with other overrides of single layers. */
    public QuantizationConfig withLayers(List<LayerOverride> other) {
        return new QuantizationConfig(
                preset, weights, activations, other, mixedPrecision, preparation, biasCorrection, opset);
    }

    /** The same configuration with other mixed precision; null: none. */
    public QuantizationConfig withMixedPrecision(MixedPrecisionConfig other) {
        return new QuantizationConfig(preset, weights, activations, layers, other, preparation, biasCorrection, opset);
    }

    /**
     * The kernel settings of a layer with that name.
     *
     * @param firstOrLast whether it is the model's first or last layer with a kernel
     */
    public Weights weightsOf(String layer, boolean firstOrLast) {
        return overridden(layer, firstOrLast ? weights.withBits(weights.firstAndLastBits()) : weights);
    }

    /** The settings of an embedding table that the node of that name reads. */
    public Weights embeddingOf(String node) {
        return overridden(node, weights.withBits(weights.embeddingBits()));
    }

    private Weights overridden(String layer, Weights base) {
        Weights settings = base;
        for (LayerOverride override : layers) {
            settings = override.matches(layer) ? override.weights().over(settings) : settings;
        }
        return settings;
    }

    /** The activation settings of a quantizer that belongs to nodes of these names. */
    public Activations activationsOf(Collection<String> names) {
        Activations settings = activations;
        for (LayerOverride override : layers) {
            settings = names.stream().anyMatch(override::matches)
                    ? override.activations().over(settings)
                    : settings;
        }
        return settings;
    }

    /** Whether the bits of that layer's kernel were set for it, not for the model. */
    public boolean setsWeightBits(String layer, boolean firstOrLast) {
        return firstOrLast && weights.firstAndLastBits() != null
                || layers.stream().anyMatch(override -> override.weights().bits() != null && override.matches(layer));
    }

    /** Whether the bits of a quantizer that belongs to nodes of these names were set for it, not for the model. */
    public boolean setsActivationBits(Collection<String> names) {
        return layers.stream()
                .anyMatch(override ->
                        override.activations().bits() != null && names.stream().anyMatch(override::matches));
    }

    /** Whether the kernel of a layer with that name stays in float. */
    public boolean skips(String layer) {
        boolean skipped = false;
        for (LayerOverride override : layers) {
            skipped = override.skip() != null && override.matches(layer) ? override.skip() : skipped;
        }
        return skipped;
    }

    /** Kernel settings that any layer may have: the model's, and each override on top of them. */
    List<Weights> possibleWeights() {
        return Stream.concat(Stream.of(weights), layers.stream().map(override -> override.weights()
                        .over(weights)))
                .toList();
    }

    /** Each value is checked where it enters, so that the failure names the override and not a layer. */
    private static void checkOverride(LayerOverride override, String key, Weights weights, Activations activations) {
        try {
            override.weights().over(weights);
        } catch (InvalidValueException e) {
            throw e.below(key + ".weights");
        }
        try {
            override.activations().over(activations);
        } catch (InvalidValueException e) {
            throw e.below(key + ".activations");
        }
    }

    /** The same configuration with another preparation. */
    public QuantizationConfig withPreparation(PreparationConfig other) {
        return new QuantizationConfig(
                preset, weights, activations, layers, mixedPrecision, other, biasCorrection, opset);
    }

    private static Activations activations(QuantizationMethod method, Boolean signed) {
        return new Activations(
                MAXIMUM_BITS, method, signed, ThresholdMethod.MSE, DEFAULT_LP_NORM, Double.POSITIVE_INFINITY);
    }

    private static void checkPreset(String preset) {
        Check.that(
                preset != null && PRESETS.contains(preset),
                "preset",
                preset,
                "it is not a preset" + NearestName.hint(preset, PRESETS),
                "Use one of " + String.join(", ", PRESETS));
    }
}
