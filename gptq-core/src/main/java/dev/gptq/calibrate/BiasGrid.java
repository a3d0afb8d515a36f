package dev.gptq.calibrate;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.MovingOperators;
import dev.gptq.graph.Node;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The int32 grid of a layer's bias: an integer kernel with step s_w on an input with step s_in accumulates in steps of
 * s_in * s_w, and the bias is rounded to that grid so that a runtime can add it to the accumulator.
 */
public final class BiasGrid {
    private BiasGrid() {}

    /**
     * One scale per output channel, s_in * s_w[c]; null when the layer's input is not quantized, and then the bias stays
     * float.
     *
     * @param weightGrid the final grid of the kernel
     * @param channels number of output channels
     */
    public static float[] scale(
            Graph prepared, QuantizationPlan plan, ComparePoint point, QuantizationGrid weightGrid, int channels) {
        ActivationQuantizer input = inputQuantizer(prepared, plan, point);
        if (input == null) {
            return null;
        }
        float inputScale = input.grid().scale()[0];
        float[] weightScale = weightGrid.scale();
        float[] scale = new float[channels];
        for (int c = 0; c < channels; c++) {
            scale[c] = inputScale * weightScale[weightScale.length == 1 ? 0 : c];
        }
        return scale;
    }

    /** The quantizer whose grid the layer's input values lie on, or null. */
    public static ActivationQuantizer inputQuantizer(Graph prepared, QuantizationPlan plan, ComparePoint point) {
        Map<String, ActivationQuantizer> quantizers = new HashMap<>();
        plan.activations().forEach(quantizer -> quantizers.put(quantizer.tensor(), quantizer));
        return quantizers.get(inputTensor(prepared, quantizers.keySet(), point));
    }

    /** That of the {@code quantized} tensors whose grid the layer's input values lie on, or null. */
    static String inputTensor(Graph prepared, Set<String> quantized, ComparePoint point) {
        Map<String, Node> producers = prepared.producers();
        String tensor = dataInput(prepared, point);
        while (tensor != null && !quantized.contains(tensor)) {
            Node producer = producers.get(tensor);
            tensor = producer != null && MovingOperators.moves(producer) ? producer.input(0) : null;
        }
        return tensor;
    }

    /** Whether every value rounds to an int32; where one does not, the layer's bias stays float in file and student. */
    public static boolean fits(float[] bias, float[] scale) {
        for (int c = 0; c < bias.length; c++) {
            if (Math.abs(Math.rint((double) bias[c] / scale[c])) > Integer.MAX_VALUE) {
                return false;
            }
        }
        return true;
    }

    /** The bias as integers: rounded half to even, clamped to int32. */
    public static int[] round(float[] bias, float[] scale) {
        int[] integers = new int[bias.length];
        for (int c = 0; c < bias.length; c++) {
            // A cast from double saturates at the limits of int.
            integers[c] = (int) Math.rint((double) bias[c] / scale[c]);
        }
        return integers;
    }

    private static String dataInput(Graph prepared, ComparePoint point) {
        for (Node node : prepared.nodes()) {
            int kernel = node.inputs().indexOf(point.weight());
            if (kernel >= 0) {
                return node.input(kernel == 0 ? 1 : 0);
            }
        }
        return null;
    }
}
