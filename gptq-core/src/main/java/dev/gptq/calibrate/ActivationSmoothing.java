package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.Graph;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Channels of an activation that are much larger than others leave those few steps of the grid that they share. Where only
 * linear layers read the grid, each channel j is divided by a factor s_j and its row of the kernels multiplied with it
 * (SmoothQuant, Xiao et al. 2023): s_j = max |x_j|^a / max |W_j|^(1 - a), rounded to a power of two, which leaves the float
 * model as it is, bit for bit. The division is an operator of its own behind what makes the activation.
 *
 * <p>a is chosen for each activation, from 0 to 1 in steps of 0.05, by the error that it leads one to expect of the layers'
 * outputs: with steps d of the grids, d_x^2 / 12 sum |s W|^2 for the activation and d_W^2 / 12 sum E[x^2] / s^2 for the
 * kernels. Where that gains little, the activation stays.
 */
public final class ActivationSmoothing {
    private ActivationSmoothing() {}

    /** Whether there is anything to smooth in a prepared graph. */
    public static boolean isPossible(Graph prepared, QuantizationConfig config) {
        return !SmoothableInput.of(prepared, config).isEmpty();
    }

    /**
     * Factors by the name of the tensor that is divided; only of those that gain by it.
     *
     * @param scales of all calibration samples
     */
    public static Map<String, float[]> factors(Graph prepared, QuantizationConfig config, InputScales scales) {
        LayerSettings settings = LayerSettings.of(prepared, config);
        Map<String, float[]> factors = new LinkedHashMap<>();
        for (SmoothableInput input : SmoothableInput.of(prepared, config)) {
            float[] chosen = new SmoothingChoice(prepared, settings, input, scales.of(input.tensor())).factors();
            if (chosen != null) {
                factors.put(input.tensor(), chosen);
            }
        }
        return factors;
    }

    /** The prepared graph with these divisions; its compare points have the same names and values. */
    public static Graph apply(Graph prepared, Map<String, float[]> factors) {
        return factors.isEmpty() ? prepared : new SmoothedGraph(prepared, factors).graph();
    }
}
