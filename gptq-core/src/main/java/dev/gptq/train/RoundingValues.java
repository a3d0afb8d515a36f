package dev.gptq.train;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.RoundingType;
import dev.gptq.graph.Graph;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Where the rounding of each weight stands in a training. */
public final class RoundingValues {
    private RoundingValues() {}

    /**
     * By layer, one value per weight: with soft rounding the part of a quantization step that the weight is above the grid
     * point below it, from 0 (down) to 1 (up); with the straight-through estimator the distance that it was moved.
     */
    public static Map<String, float[]> of(
            Graph prepared, QuantizationPlan plan, GradientPTQConfig config, TrainerState state) {
        float[] variables = state.arrays().get(KernelPiece.VARIABLES);
        Map<String, float[]> values = new LinkedHashMap<>();
        for (ParameterLayout.Layer layer : ParameterLayout.of(prepared, plan).layers()) {
            int from = layer.kernel().offset();
            float[] ofLayer =
                    Arrays.copyOfRange(variables, from, from + layer.kernel().size());
            if (config.roundingType() != RoundingType.STE) {
                for (int i = 0; i < ofLayer.length; i++) {
                    float stretched = RectifiedSigmoid.stretched(RectifiedSigmoid.sigmoid(ofLayer[i]));
                    ofLayer[i] = RectifiedSigmoid.clipped(stretched);
                }
            }
            values.put(layer.point().name(), ofLayer);
        }
        return values;
    }
}
