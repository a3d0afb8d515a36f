package dev.gptq.config;

import java.util.List;

/** Settings of layers as a piece of a configuration, one layer per line. */
public final class LayersYaml {
    private LayersYaml() {}

    /** YAML text that a configuration may have for the same keys: these overrides, and no mixed precision. */
    public static String of(List<LayerOverride> layers) {
        StringBuilder text = new StringBuilder("quantization:\n  mixed_precision: null\n  layers:\n");
        for (LayerOverride layer : layers) {
            text.append("    - ")
                    .append(YamlPrinter.value(RunConfigWriter.layer(layer)))
                    .append('\n');
        }
        return text.toString();
    }
}
