package dev.gptq.train;

import dev.gptq.GptqException;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.List;

/**
 * Where each layer's kernel and bias lie in {@link StudentParameters#values} and {@link LaneGradient#gradient}: all
 * kernels in compare-point order, then all biases (of the layers that have one) in the same order, each row-major.
 */
public final class ParameterLayout {
    private final List<Layer> layers;
    private final int kernelCount;
    private final int totalCount;

    private ParameterLayout(List<Layer> layers, int kernelCount, int totalCount) {
        this.layers = List.copyOf(layers);
        this.kernelCount = kernelCount;
        this.totalCount = totalCount;
    }

    /** The layout of a plan's layers in a prepared graph. */
    public static ParameterLayout of(Graph prepared, QuantizationPlan plan) {
        int kernels = 0;
        for (WeightQuantizer quantizer : plan.weights()) {
            kernels = Math.addExact(kernels, kernel(prepared, quantizer.point()).size());
        }
        List<Layer> layers = new ArrayList<>();
        int kernelOffset = 0;
        int biasOffset = kernels;
        for (WeightQuantizer quantizer : plan.weights()) {
            TensorData kernel = kernel(prepared, quantizer.point());
            TensorData bias = bias(prepared, quantizer.point());
            Slice kernelSlice = new Slice(kernelOffset, kernel.size(), kernel.shape());
            Slice biasSlice = bias == null ? null : new Slice(biasOffset, bias.size(), bias.shape());
            layers.add(new Layer(quantizer.point(), kernelSlice, biasSlice));
            kernelOffset += kernel.size();
            biasOffset = Math.addExact(biasOffset, bias == null ? 0 : bias.size());
        }
        return new ParameterLayout(layers, kernels, biasOffset);
    }

    /** One entry per compare point. */
    public List<Layer> layers() {
        return layers;
    }

    /** Number of kernel elements; the biases begin there. */
    public int kernelCount() {
        return kernelCount;
    }

    public int biasCount() {
        return totalCount - kernelCount;
    }

    public int totalCount() {
        return totalCount;
    }

    static TensorData kernel(Graph prepared, ComparePoint point) {
        TensorData kernel = prepared.constants().get(point.weight());
        if (kernel == null) {
            throw GptqException.badInput(
                    "Cannot train layer %s: its kernel %s is no constant of the model."
                            + " Use a plan that was made for this model.",
                    point.name(), point.weight());
        }
        return kernel;
    }

    /** The layer's bias constant, or null without one. */
    static TensorData bias(Graph prepared, ComparePoint point) {
        return point.bias() == null ? null : prepared.constants().get(point.bias());
    }

    /** Elements [offset, offset + size) hold a tensor of {@code shape}. */
    public record Slice(int offset, int size, long[] shape) {}

    /** Where one layer's parameters lie; {@code bias} is null for a layer without one. */
    public record Layer(ComparePoint point, Slice kernel, Slice bias) {}
}
