package dev.gptq.config;

import java.io.Serializable;
import java.util.List;
import java.util.TreeSet;

/**
 * Mixed precision: bits are chosen layer by layer, so that the model's outputs change least within a budget. What
 * quantization.layers says of a layer's bits stays, and so do quantization.weights.first_and_last_bits.
 *
 * @param weightsBits the bits a kernel may get, ascending; they are chosen where the budget says something about weights
 * @param activationsBits the bits an activation may get, ascending; likewise
 * @param budget what the quantized model may take
 * @param sensitivity how the effect of a layer's quantization is measured
 * @param samples calibration samples that it is measured on; all of them where there are fewer
 */
public record MixedPrecisionConfig(
        List<Integer> weightsBits, List<Integer> activationsBits, Budget budget, Sensitivity sensitivity, int samples)
        implements Serializable {
    /** As many as MCT takes. */
    public static final int DEFAULT_SAMPLES = 32;

    static final List<Integer> DEFAULT_WEIGHTS_BITS = List.of(2, 4, 8);
    static final List<Integer> DEFAULT_ACTIVATIONS_BITS = List.of(8, QuantizationConfig.WIDE_BITS);

    /** How the effect of a layer's quantization on the model's outputs is measured. */
    public enum Sensitivity {
        /** To first order, from gradients of the float model: one backward pass serves all layers and bits. */
        HESSIAN,
        /** By running the model with that layer alone quantized: as many runs as layers times bits. */
        OUTPUT_ERROR
    }

    /**
     * Limits; null means none. At least one is given, and all hold at once.
     *
     * @param size bytes of all quantized kernels, each weight counted with its bits; a file may take a whole byte for it
     * @param weightsBits average bits of a weight
     * @param activationsBits average bits of an activation value
     * @param bitOperations sum over layers of multiplications x bits of the weight x bits of the activation, as a share of
     *     what 8-bit weights and activations need
     */
    public record Budget(Long size, Double weightsBits, Double activationsBits, Double bitOperations)
            implements Serializable {
        public Budget {
            Check.that(
                    size != null || weightsBits != null || activationsBits != null || bitOperations != null,
                    "budget",
                    "null",
                    "mixed precision needs a limit",
                    "Set budget.size, budget.weights_bits, budget.activations_bits or budget.bit_operations");
            if (size != null) {
                Check.atLeast(size, 1, "budget.size");
            }
            positive(weightsBits, "budget.weights_bits");
            positive(activationsBits, "budget.activations_bits");
            positive(bitOperations, "budget.bit_operations");
        }

        private static void positive(Double value, String key) {
            if (value != null) {
                Check.positive(value, key);
            }
        }

        /** An average of so many bits per weight. */
        public static Budget ofWeightsBits(double bits) {
            return new Budget(null, bits, null, null);
        }

        /** Whether the bits of kernels are chosen. */
        public boolean limitsWeights() {
            return size != null || weightsBits != null || bitOperations != null;
        }

        /** Whether the bits of activations are chosen. */
        public boolean limitsActivations() {
            return activationsBits != null || bitOperations != null;
        }
    }

    public MixedPrecisionConfig {
        Check.given(budget, "budget", "Set for example budget: {weights_bits: 4}");
        Check.given(sensitivity, "sensitivity", "Use hessian or output_error");
        Check.atLeast(samples, 1, "samples");
        weightsBits = candidates(weightsBits, "weights_bits");
        weightsBits.forEach(bits ->
                Check.between(bits, QuantizationConfig.MINIMUM_BITS, QuantizationConfig.MAXIMUM_BITS, "weights_bits"));
        activationsBits = candidates(activationsBits, "activations_bits");
        activationsBits.forEach(bits -> Check.that(
                QuantizationConfig.isActivationBits(bits),
                "activations_bits",
                bits,
                "activations have 2 to 8 bits, or 16",
                "Use 2 to 8, or 16"));
    }

    private static List<Integer> candidates(List<Integer> bits, String key) {
        Check.that(bits != null && !bits.isEmpty(), key, bits, "it names no bits", "Use for example [4, 8]");
        return List.copyOf(new TreeSet<>(bits));
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Collects the fields; the budget is required. */
    public static final class Builder {
        private List<Integer> weightsBits = DEFAULT_WEIGHTS_BITS;
        private List<Integer> activationsBits = DEFAULT_ACTIVATIONS_BITS;
        private Budget budget;
        private Sensitivity sensitivity = Sensitivity.HESSIAN;
        private int samples = DEFAULT_SAMPLES;

        private Builder() {}

        public Builder setBudget(Budget value) {
            this.budget = value;
            return this;
        }

        /** See {@link MixedPrecisionConfig#weightsBits}; 2, 4 and 8 by default. */
        public Builder optWeightsBits(List<Integer> value) {
            this.weightsBits = value;
            return this;
        }

        /** See {@link MixedPrecisionConfig#activationsBits}; 8 and 16 by default. */
        public Builder optActivationsBits(List<Integer> value) {
            this.activationsBits = value;
            return this;
        }

        public Builder optSensitivity(Sensitivity value) {
            this.sensitivity = value;
            return this;
        }

        public Builder optSamples(int value) {
            this.samples = value;
            return this;
        }

        public MixedPrecisionConfig build() {
            return new MixedPrecisionConfig(weightsBits, activationsBits, budget, sensitivity, samples);
        }
    }
}
