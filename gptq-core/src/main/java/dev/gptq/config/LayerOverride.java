package dev.gptq.config;

import java.io.Serializable;
import java.util.Collection;
import java.util.regex.Pattern;

/**
 * Settings of some layers that differ from the model's. A layer is a node with a kernel, a node whose output gets an
 * activation quantizer, or a model input; nodes that share one quantizer (Conv and its Relu) are reached by either name.
 *
 * <p>Overrides apply in the order of the list, each on top of those before: where two set the same thing of a layer, the
 * last one that matches wins.
 *
 * @param name a layer's name, or a pattern for names: {@code *} stands for any characters, {@code ?} for one
 * @param weights what is different about the kernel
 * @param activations what is different about the layer's activation quantizer
 * @param skip whether the kernel stays in float; such a layer is no compare point, is not trained and keeps its bias.
 *     Its activation is quantized all the same. Null: as overrides before say
 */
public record LayerOverride(String name, Values weights, Values activations, Boolean skip) implements Serializable {
    private static final int SUGGESTIONS = 3;

    /**
     * What an override sets; null leaves a value as it is.
     *
     * @param bits 2 to 8; of activations also 16
     */
    public record Values(Integer bits, QuantizationMethod method, ThresholdMethod thresholdMethod)
            implements Serializable {
        /** Sets nothing. */
        public static final Values NONE = new Values(null, null, null);

        /** Only other bits. */
        public static Values ofBits(int bits) {
            return new Values(bits, null, null);
        }

        QuantizationConfig.Weights over(QuantizationConfig.Weights base) {
            return new QuantizationConfig.Weights(
                    or(bits, base.bits()),
                    or(method, base.method()),
                    base.perChannel(),
                    or(thresholdMethod, base.thresholdMethod()),
                    base.lpNorm(),
                    base.firstAndLastBits(),
                    base.embeddingBits());
        }

        QuantizationConfig.Activations over(QuantizationConfig.Activations base) {
            return new QuantizationConfig.Activations(
                    or(bits, base.bits()),
                    or(method, base.method()),
                    base.signed(),
                    or(thresholdMethod, base.thresholdMethod()),
                    base.lpNorm(),
                    base.zThreshold());
        }

        private static <T> T or(T value, T base) {
            return value == null ? base : value;
        }
    }

    public LayerOverride {
        Check.text(name, "name", "Set it to a layer's name or a pattern such as 'conv*'");
        weights = weights == null ? Values.NONE : weights;
        activations = activations == null ? Values.NONE : activations;
        Check.that(
                skip != null || !weights.equals(Values.NONE) || !activations.equals(Values.NONE),
                "name",
                name,
                "the override sets nothing",
                "Give it weights, activations or skip, or remove it");
    }

    /** An override of kernels only. */
    public static LayerOverride ofWeights(String name, Values weights) {
        return new LayerOverride(name, weights, Values.NONE, null);
    }

    /** An override of activations only. */
    public static LayerOverride ofActivations(String name, Values activations) {
        return new LayerOverride(name, Values.NONE, activations, null);
    }

    /** Leaves kernels in float. */
    public static LayerOverride skipping(String name) {
        return new LayerOverride(name, Values.NONE, Values.NONE, true);
    }

    /** Whether this says something about kernels, so that it has to match a layer with one. */
    public boolean isAboutKernels() {
        return skip != null || !weights.equals(Values.NONE);
    }

    /**
     * Checks that there is a layer for this.
     *
     * @param layers names of all layers that it may be about
     * @throws dev.gptq.GptqException BAD_INPUT naming the nearest layers
     */
    public void requireMatch(Collection<String> layers) {
        Check.that(
                layers.stream().anyMatch(this::matches),
                "quantization.layers.name",
                "'" + name + "'",
                "it matches no layer" + (isAboutKernels() ? " with a kernel" : ""),
                "The nearest names are " + String.join(", ", NearestName.nearest(name, layers, SUGGESTIONS)));
    }

    /** Whether the pattern matches a name. */
    public boolean matches(String layer) {
        if (name.indexOf('*') < 0 && name.indexOf('?') < 0) {
            return name.equals(layer);
        }
        StringBuilder expression = new StringBuilder();
        for (char c : name.toCharArray()) {
            switch (c) {
                case '*' -> expression.append(".*");
                case '?' -> expression.append('.');
                default -> expression.append(Pattern.quote(String.valueOf(c)));
            }
        }
        return Pattern.compile(expression.toString(), Pattern.DOTALL)
                .matcher(layer)
                .matches();
    }
}
