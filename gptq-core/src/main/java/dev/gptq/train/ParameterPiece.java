package dev.gptq.train;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.GradientPTQConfig;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * Elements [from, to) of {@link StudentParameters#values}, whose update depends on nothing but their own gradient: rows
 * (indices of the first dimension) of one kernel with their quantization parameters, or biases. How a model is cut depends on
 * the model and the configuration only, so sums over pieces have the same bits wherever pieces are updated.
 *
 * @param layer index of the kernel's layer; -1 for biases
 * @param firstRow first row of the kernel; 0 for biases
 * @param rows number of rows; 0 for biases
 */
public record ParameterPiece(int from, int to, int layer, int firstRow, int rows) implements Serializable {
    /** A piece's variables, moments and intermediate arrays fit into a core's cache. */
    private static final int LARGEST = 1 << 14;

    /** Number of elements. */
    public int size() {
        return to - from;
    }

    boolean holdsBiases() {
        return layer < 0;
    }

    /** All pieces in the order of their elements. */
    public static List<ParameterPiece> cut(ParameterLayout layout, QuantizationPlan plan, GradientPTQConfig config) {
        return cut(layout, plan, config, LARGEST);
    }

    /** Pieces of at most {@code largest} elements where rows are not longer. */
    static List<ParameterPiece> cut(
            ParameterLayout layout, QuantizationPlan plan, GradientPTQConfig config, int largest) {
        boolean learns = config.quantizerParametersOverride().quantizationParameterLearning();
        List<ParameterPiece> pieces = new ArrayList<>();
        for (int layer = 0; layer < plan.weights().size(); layer++) {
            WeightQuantizer weight = plan.weights().get(layer);
            ParameterLayout.Slice kernel = layout.layers().get(layer).kernel();
            int rows = kernel.shape().length == 0 ? 1 : Math.toIntExact(kernel.shape()[0]);
            // A learned parameter sums over all elements of its channel, which only rows that are channels hold
            // together.
            boolean whole = learns && weight.channelAxis() != 0;
            addRows(pieces, layer, kernel, rows, whole ? rows : Math.max(1, largest / (kernel.size() / rows)));
        }
        for (int from = layout.kernelCount(); from < layout.totalCount(); from += largest) {
            pieces.add(new ParameterPiece(from, Math.min(layout.totalCount(), from + largest), -1, 0, 0));
        }
        return List.copyOf(pieces);
    }

    private static void addRows(
            List<ParameterPiece> pieces, int layer, ParameterLayout.Slice kernel, int rows, int rowsPerPiece) {
        int rowSize = kernel.size() / rows;
        for (int first = 0; first < rows; first += rowsPerPiece) {
            int count = Math.min(rowsPerPiece, rows - first);
            int from = kernel.offset() + first * rowSize;
            pieces.add(new ParameterPiece(from, from + count * rowSize, layer, first, count));
        }
    }
}
